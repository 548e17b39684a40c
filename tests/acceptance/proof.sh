#!/usr/bin/env bash
# The proof: oracle, invariants at scale, bad input, branch coverage, mutations. About an hour and a half on one core;
# `proof.sh quick` leaves the mutation run and the ten thousand sets to a thousand.
# Every line that begins with == is a promise. Set PYTHON to an interpreter that has the package and its test extras.
set -euo pipefail
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
python=${PYTHON:-.venv/bin/python}
quick=${1:-}
show() { printf '\n== %s\n' "$1"; }
tests() { "$python" -m pytest -q -s -p no:cacheprovider "$@" | grep -Ev '^\.*$|^$|^\.+ +\[' | tail -n 14; }

show "oracle: 200 scenarios within 1e-5 at the default tolerance, errors fall with rtol; the ten worst"
"$python" tests/acceptance/oracle_table.py
show "the committed oracle results are those of the sources; a rotating ten come out again"
tests tests/reference/test_oracle_results.py
if [ "$quick" = quick ]; then sets=1000; else sets=10000; fi
show "$sets random sets a drug: no invariant broken, no silent NaN, no set over 5 s"
PKMODEL_SETS=$sets tests tests/physics/test_random_treatments.py
PKMODEL_SETS=$sets tests tests/physics/test_mass.py tests/physics/test_closed_forms.py tests/physics/test_limits.py \
    tests/physics/test_saturation.py
show "a broken flux is seen (the test of the tests)"
tests tests/physics/test_mass.py -k "loss_that_books_too_little or arrives_nowhere"
show "bad input: the whole catalogue, and round trips"
tests tests/bad_input
show "accuracy on request"
tests tests/unit/study/test_check.py tests/unit/test_course.py
"$python" -m pkmodel.cli compare --check --arms iv,emulsion_sponge,beads | grep Checked
report=$(mktemp)
show "branch coverage of laws, model, solve and inputs at least 98 %"
"$python" -m pytest -q -p no:cacheprovider --cov=pkmodel --cov-branch --cov-report=json:"$report" \
    tests/unit tests/bad_input tests/reference/test_release.py tests/reference/test_friberg.py \
    tests/reference/test_pk_closed_form.py tests/physics/test_found_by_oracle.py tests/physics/test_ischaemia.py \
    tests/physics/test_limits.py tests/physics/test_mass.py | tail -n 1
"$python" tests/acceptance/branches.py "$report" 98
if [ "$quick" != quick ]; then
    show "mutations of laws and solve: at least 85 % killed"
    results=$(mktemp)
    "$python" tests/acceptance/mutation.py --only laws/ --results "$results" | tail -n 14
    "$python" tests/acceptance/mutation.py --only solve/ --sample 300 --seed 3 --results "$results" | tail -n 14
fi
