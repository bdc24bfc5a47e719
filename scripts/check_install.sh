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
