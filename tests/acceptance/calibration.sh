#!/usr/bin/env bash
# The calibration, shown: every stage run again and compared with what is committed, then what it promises.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
echo "== all stages again: fits, identifiability, profiles, studies left out; committed values reproduced to 1e-6"
time "$python" experiments/01_calibration/run.py --check
echo
echo "== without one study: one command"
"$python" experiments/01_calibration/run.py --quick --without mitomycin_hu_howell_slow | sed -n '/^mitomycin_c/,/GMFE/p'
"$python" tests/acceptance/calibration_checks.py
