#!/usr/bin/env bash
# Studies that outgrow a laptop: rate and memory of a sweep, kills, a full disk, damage, workers, sensitivity.
# About twenty minutes on two cores; `studies.sh quick` leaves the hundred thousand points to sixteen thousand.
# Set PYTHON to an interpreter that has the package and its extras frames and cluster.
set -euo pipefail
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
python=${PYTHON:-.venv/bin/python}
quick=${1:-}
show() { printf '\n== %s\n' "$1"; }

show "a sweep of one session of doxorubicin: rate, memory flat within 10 %, projection for a million points"
"$python" tests/acceptance/studies_rate.py ${quick:+--quick}
show "killed at 20 random instants, and once by a full disk: goes on, under 1 % computed again, identical bytes"
"$python" tests/acceptance/studies_kill.py
show "200 truncations and bit flips: all seen, named and repaired"
"$python" tests/acceptance/studies_damage.py
show "1, 2 and 8 workers, pool and Dask, a Dask worker killed half way: identical bytes"
"$python" tests/acceptance/studies_workers.py
show "sensitivity: Ishigami and g-functions"
"$python" tests/acceptance/studies_sensitivity.py
