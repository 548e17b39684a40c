#!/usr/bin/env bash
# Oil, slow release, sponge, ischaemia, necrosis and its causes: every promise as one line that begins with ==, and
# below it what was measured. Run it from anywhere; PYTHON chooses the interpreter. Exit code 1 when one is broken.
set -uo pipefail
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
python=${PYTHON:-python3}
broken=0

show() { printf '\n== %s\n' "$1"; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Tests print what they measure; points and blank lines of pytest are left out, the last line counts.
measure() {
    "$python" -m pytest -q -s --tb=line -p no:cacheprovider "$@" >"$log" 2>&1 || broken=$((broken + 1))
    grep -vE '^[.xFs]*$|^=+ ' "$log"
}

show "compare: nine arms x 4 drugs x 6 patients x 4 catheters, and three drugs; < 1 s each, balance 1e-9, shares"
measure tests/physics/test_arms.py
show "release: release_profiles.csv 98/98, f1 and f2 10/10"
measure tests/reference/test_release.py
show "singular laws in a course: balance 1e-12, error <= 1e-5 at default rtol, against rtol 1e-9 and against Radau"
measure tests/physics/test_release_course.py -k "singular or radau"
show "singular laws: under 120 steps"
measure tests/physics/test_release_course.py -k steps
show "release law drops out at constant flow to 1e-6; infinite release = bolus; no release = nothing outside depots"
measure tests/physics/test_release_course.py -k "drops_out or infinitely or no_release or curve_from_a_file or blocking"
show "occlusion 0: ischaemic kill exactly 0; drug kill 0 = bland course; monotone; sponge retains; blocked artery"
measure tests/physics/test_ischaemia.py
show "marrow: both Friberg blocks through the solver; Claret block through the volume integrator"
measure tests/physics/test_marrow.py
show "growth laws and zones: 180-day viable volume within 1e-5 of an independent Radau; review_days -> 0 converges"
measure tests/physics/test_growth.py
show "the price of readings at sessions only, 20 scenarios"
"$python" tests/acceptance/reviews.py || broken=$((broken + 1))
show "six months, six sessions, 1,000 subjects with intervals of their own: time and memory"
measure tests/physics/test_scale.py
show "describe() reproduces the equations; a reader recomputes a rate by hand"
measure tests/unit/report/test_describe.py
show "attribution, laws and panels: brute force, closed forms, orders of accuracy"
measure tests/unit/study/test_attribution.py tests/unit/study/test_compare.py tests/unit/laws tests/unit/solve

printf '\n%d promises broken\n' "$broken"
[ "$broken" -eq 0 ]
