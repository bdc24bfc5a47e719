#!/usr/bin/env bash
# Whether a bare installation audits a table and prepares faces, without torch. Usage: scripts/check_install.sh [newest|lowest]
# newest takes the versions of constraints.txt, lowest the oldest that pyproject.toml allows.
set -euo pipefail
cd "$(dirname "$0")/.."
which=${1:-newest}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
constraints=constraints.txt
if [ "$which" = lowest ]; then
    constraints=$work/lowest.txt
    ${PYTHON:-python3} scripts/lowest_versions.py > "$constraints"
fi
${PYTHON:-python3} -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$constraints" .
"$work/venv/bin/python" - "$work/table.csv" <<'PY'
import sys
from pathlib import Path

rows = [f"{i}.jpg,{20 + i % 50},{21 + i % 47},{'fm'[i % 2]}" for i in range(200)]
Path(sys.argv[1]).write_text("image,age,prediction,gender\n" + "\n".join(rows) + "\n")
PY
cd "$work"
venv/bin/fairage audit table.csv --out audit > audit.txt
venv/bin/fairage compare table.csv table.csv --out compare > compare.txt
mkdir faces
cut -d, -f1,2,4 table.csv > faces/faces.csv
tail -n +2 faces/faces.csv | cut -d, -f1 | while read -r name; do echo "$name" > "faces/$name"; done
venv/bin/fairage data prepare folder faces --out prepared.csv > prepared.txt
test -s prepared.csv && test -s audit/audit.html && test -s audit/audit.json && test -s compare/compare.html
venv/bin/python - <<'PY'
import importlib.util

heavy = [name for name in ("torch", "cv2", "transformers", "sklearn") if importlib.util.find_spec(name)]
assert not heavy, f"expected a bare installation, got {heavy}"
PY
echo "a bare installation ($which versions) audits and compares a table, and prepares faces"
[ "$which" = newest ] || exit 0
cd "$OLDPWD"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$constraints" ".[predict]" scikit-image
cd "$work"
mkdir photos
venv/bin/python - <<'PY'
import importlib.util
from pathlib import Path

import cv2
import polars as pl
from skimage import data

import fairage

heavy = [name for name in ("torch", "transformers", "onnx", "sklearn") if importlib.util.find_spec(name)]
assert not heavy, f"expected an installation without torch, got {heavy}"
cv2.imwrite("photos/astronaut.png", data.astronaut()[..., ::-1])
cv2.imwrite("photos/cat.png", data.chelsea()[..., ::-1])
face = data.astronaut()[40:200, 140:300, ::-1]
Path("crops").mkdir()
for row in range(40):
    cv2.imwrite(f"crops/{row}.png", face[row // 8 :, row % 8 :])
pl.DataFrame({"image": [f"crops/{row}.png" for row in range(40)], "age": [20.0 + row for row in range(40)]}).write_csv("crops.csv")
assert fairage.load().over(18, "photos", wrong_yes=0.2)[1] == "refer"
PY
venv/bin/fairage predict photos --out ages.csv --show drawn > predict.txt
venv/bin/fairage calibrate boxed crops.csv --crops --out mine > calibrate.txt
venv/bin/fairage predict photos --model mine --json > mine.json
venv/bin/fairage export mine --onnx exported > export.txt
venv/bin/fairage audit --faces crops.csv --model exported --crops --out model-audit > model-audit.txt
test -s ages.csv && test -s drawn/00001-astronaut.jpg && test -s mine/calibration.parquet && test -s model-audit/audit.html
if venv/bin/fairage run no.yaml 2> error.txt; then exit 1; fi
echo "with [predict], and without torch, it estimates, calibrates, exports and audits ($(du -sm venv | cut -f1) MB in all)"
