#!/usr/bin/env bash
# Validation before fitting: from an installed package, in an empty folder, with nothing to reach but itself.
# Every line that begins with == is a promise. About four minutes.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
show() { printf '\n== %s\n' "$1"; }
git clone -q "$root" "$work/clone"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "$work/clone[test]"
pkmodel=$work/venv/bin/pkmodel python=$work/venv/bin/python
cd "$work"

show "pkmodel validate from the installed package under 60 s"
start=$(date +%s%N)
"$pkmodel" validate --json --plot "$work/validation.png" >validation.json
seconds=$(( ($(date +%s%N) - start) / 1000000 ))
echo "$seconds ms"
[ "$seconds" -lt 60000 ]
[ -s validation.png ] && [ -s validation.csv ]
show "rows carry id, observed, predicted, unit, role, source; GMFE recomputed from them is the one printed; enough of them"
"$python" - <<'P'
import json, math
found = json.load(open("validation.json"))
rows = found["rows"]
for row in rows:
    assert all(row[key] not in (None, "") or key in ("observed", "unit") for key in ("id", "observed", "predicted", "unit", "role", "source")), row
folds = [row["predicted"] / row["observed"] for row in rows if row["fold_error"] is not None]
gmfe = math.exp(sum(abs(math.log(x)) for x in folds) / len(folds))
assert abs(gmfe / found["gmfe"] - 1) < 1e-9
cases, studies = {row["case"] for row in rows}, {row["study"] for row in rows}
print(f"{len(rows)} observations, {len(cases)} cases, {len(studies)} studies, GMFE {gmfe:.3f}")
assert len(cases) >= 60 and len(rows) >= 150 and len(studies) >= 30
out = found["left_out"]
print(f"{out['countable_left_out']} of {out['countable']} in-vivo rows left out; {len(out['rows'])} rows in all, each with its reason")
assert out["countable_left_out"] <= 0.4 * out["countable"]
assert all(each["accepted"] for each in found["acceptance"])
P
show "a clearance three times too high exits with 4"
code=0
"$pkmodel" validate --draws 2 --set "drug.doxorubicin.cl_total=160 L/h" >/dev/null 2>message || code=$?
grep -o 'outside the committed acceptance.*' message
[ "$code" = 4 ]
show "the README's model card has the table of misses; it was there before any fit (git)"
cd "$work/clone"
grep -c '^| .* | .* | .* | .* | .* | .* |$' README.md
git log --format='%h %ad %s' --date=iso -- pkmodel/inputs/data/cases/README.md pkmodel/inputs/data/acceptance.toml | cat
show "every measured or fitted value joins its evidence rows; cases, quantities, uncertainty, switches, misses explained"
"$python" -m pytest -q -p no:cacheprovider tests/unit/inputs/test_provenance_rows.py tests/unit/inputs/test_cases.py \
    tests/unit/study | tail -n 2
show "compare with 90 % intervals"
cd "$work"
"$pkmodel" compare --uncertainty 50 --arms iv,bland_embolisation,emulsion_sponge,beads | sed -n '/UNCERTAINTY/,/^$/p'
