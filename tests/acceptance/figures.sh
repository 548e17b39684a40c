#!/usr/bin/env bash
# Pictures, experiments, the report: from an installed package, in an empty folder, with nothing to reach but itself.
# Every line that begins with == is a promise. About eight minutes.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MPLBACKEND=Agg
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
show() { printf '\n== %s\n' "$1"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
git clone -q "$root" "$work/clone"
start=$(milliseconds)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "$work/clone[test]"
pkmodel=$work/venv/bin/pkmodel python=$work/venv/bin/python
cd "$work"
echo "environment and installation: $(($(milliseconds) - start)) ms"

show "pkmodel figures makes all of them from the installed package in under 5 minutes (of one processor: others share it)"
"$pkmodel" figures --list
start=$(milliseconds)
TIMEFORMAT='%U %S'
{ time "$pkmodel" figures --out first >written 2>progress; } 2>processor
echo "$(wc -l <written) figures in $(($(milliseconds) - start)) ms; processor [s], user and system: $(cat processor)"
awk '{ exit !($1 + $2 < 300) }' processor
[ "$(wc -l <written)" = "$("$pkmodel" figures --list | wc -l)" ]
[ "$(wc -l <written)" -ge 14 ]

show "each has its CSV and a manifest with caption, n, seed, inputs, sources; no PNG above 200 kB"
"$python" - <<'P'
import json, pathlib
for path in sorted(pathlib.Path("first").glob("*.json")):
    found = json.loads(path.read_text())
    assert found["caption"].endswith(".") and found["n"] and "seed" in found, path
    assert found["versions"] and found["inputs"] and "sources" in found, path
    kb = path.with_suffix(".png").stat().st_size / 1000
    rows = len(path.with_suffix(".csv").read_text().splitlines()) - 1
    print(f"{path.stem:<20} {kb:5.0f} kB  {rows:6d} rows  n: {found['n']}; seed: {found['seed']}")
    assert kb < 200.0, path
P

show "what is stored is read; computed again, three of them have the same numbers byte for byte"
start=$(milliseconds)
"$pkmodel" figures --out first >again 2>>progress
echo "all from stored numbers: $(($(milliseconds) - start)) ms"
"$pkmodel" figures --fresh --out second virtual_cohort repeated_sessions evidence_map >/dev/null 2>>progress
for name in virtual_cohort repeated_sessions evidence_map; do cmp "first/$name.csv" "second/$name.csv"; done
"$pkmodel" figures --format png,svg,pdf --out formats model_diagram >/dev/null 2>>progress
[ -s formats/model_diagram.svg ] && [ -s formats/model_diagram.pdf ]

show "an unknown figure is wrong input and names the nearest"
code=0
"$pkmodel" figures validaton 2>message || code=$?
cat message
[ "$code" = 2 ]
grep -q "validation" message

show "an experiment is a question, settings and five lines; run from its folder it answers"
ls "$work/clone/experiments"
(cd "$work/clone" && "$python" experiments/16_evidence_map/run.py)

show "from nothing to one's own patient: a scenario, its table, its page, its picture, each step timed"
start=$(milliseconds)
"$pkmodel" new scenario mine.toml 2>>progress
"$pkmodel" run mine.toml >table
echo "table: $(($(milliseconds) - start)) ms"
start=$(milliseconds)
"$pkmodel" report mine.toml -o report.html
echo "page: $(($(milliseconds) - start)) ms, $(wc -c <report.html) bytes"
start=$(milliseconds)
"$pkmodel" compare --drug cisplatin --set patient.tumour.diameter='40 mm' --plot mine.png >/dev/null
echo "picture: $(($(milliseconds) - start)) ms"
[ -s mine.png ] && [ -s mine.csv ]
"$pkmodel" report mine.toml -o again.html 2>>progress
diff <(sed 's/again\.html/report.html/g' again.html) report.html

show "numbers of the figures, the page, and every code block of the README"
cd "$work/clone"
"$python" -m pytest -q -p no:cacheprovider tests/unit/report tests/unit/test_readme.py | tail -n 2

show "the page in a real browser at 1280, 390 and 320 pixels: nothing to scroll sideways, no request"
"$python" -m pytest -q -rs -p no:cacheprovider tests/browser | tail -n 3
