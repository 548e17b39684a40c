#!/usr/bin/env bash
# The first road, shown on a fresh clone of what is committed: commands of the README, reference cases, physics,
# measurements. Run it from anywhere; it leaves nothing behind. Every line that begins with == is a promise.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q "$root" "$work/clone"
cd "$work/clone"
python=.venv/bin/python

show() { printf '\n== %s\n' "$1"; }
# what command 2 has run need not run twice: its report is read
passed() { "$python" tests/acceptance/passed.py "$work/report.xml" "$@"; }
readme() { python3 tests/acceptance/readme_commands.py "$1"; }

show "command 1 installs on a fresh clone and prints the table"
first=$(readme 1)
echo "+ $first"
bash -euo pipefail -c "$first"

show "command 2 contains pytest and passes; line coverage at least 95 %"
second=$(readme 2)
echo "+ $second"
grep -q pytest <<<"$second"
PYTEST_ADDOPTS="--cov=pkmodel --cov-report=term --cov-fail-under=95 --junitxml=$work/report.xml" bash -euo pipefail -c "$second" >"$work/log" 2>&1 ||
    { tail -n 60 "$work/log"; exit 1; }
grep -E '^TOTAL|passed' "$work/log"

show "pk_closed_form.csv, 324 of 324, through the package's graph and solver"
passed tests/reference/test_pk_closed_form.py
show "nca_small_cases.json, 23 of 23"
passed tests/reference/test_nca.py
show "reference data stay outside wheel and sdist"
"$python" -m pip -q wheel --no-deps -w "$work/dist" .
"$python" -m pip -q install 'setuptools>=77'
"$python" -c 'import sys, setuptools.build_meta as b; b.build_sdist(sys.argv[1])' "$work/dist" >/dev/null 2>&1
"$python" -m zipfile -l "$work"/dist/*.whl >"$work/names"
"$python" -m tarfile -l "$work"/dist/*.tar.gz >>"$work/names"
! grep -E 'reference/data|pk_closed_form' "$work/names"
echo "$(wc -l <"$work/names") entries in both, none of them reference data"
show "mass, flux identity, closed forms, limits, linearity, splitting, shift, units, monotonicity: all of tests/physics"
passed tests/physics
show "solver: tree against dense, clock, steps, failed lanes"
passed tests/unit/solve
show "imports one way, nothing heavy at start, sizes"
passed tests/architecture

show "measurements"
"$python" tests/acceptance/one_road_measures.py
