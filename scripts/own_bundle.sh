#!/usr/bin/env bash
# A bundle trained on APPA-REAL, calibrated on its validation faces, and audited on its test faces and on UTKFace:
# docs/results/utkface.md. Usage: scripts/own_bundle.sh DATA [OUT]
# DATA holds data/appa-real, data/utkface and models/; OUT is as in scripts/results.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?expected the folder that holds data/ and models/, for example: scripts/own_bundle.sh ../real}
out=${2:-results}
fairage=.venv/bin/fairage
mkdir -p "$out"
[ -f "$out/appa.parquet" ] || $fairage data prepare appa-real "$data/data/appa-real" --out "$out/appa.parquet"
[ -f "$out/utk-all.parquet" ] || $fairage data prepare utkface "$data/data/utkface" --out "$out/utk-all.parquet"
$fairage run frontier/1-label-distribution --faces "$out/appa.parquet" \
    --backbone "$data/models/mobilenet-v1-vggface2-deep" --backbone "$data/models/mobilefacenet@crop:0.7" \
    --store "$out/store" --out "$out/own"
bundle=$(echo "$out"/own/*/seed-0/bundle)
$fairage calibrate "$bundle" "$out/appa.parquet" --split valid --crops --out "$out/own-calibrated"
$fairage audit --faces "$out/appa.parquet" --split test --crops --model "$out/own-calibrated" --out "$out/own-appa-real"
.venv/bin/python -c "import polars, sys; table = polars.read_parquet(sys.argv[1]); \
table.sample(5000, seed=0, shuffle=True).write_parquet(sys.argv[2])" "$out/utk-all.parquet" "$out/utk-5000.parquet"
$fairage audit --faces "$out/utk-5000.parquet" --model "$out/own-calibrated" --out "$out/own-utkface"
for name in own-appa-real own-utkface; do
    echo "$name"
    .venv/bin/python scripts/audit_markdown.py "$out/$name/audit.json"
done
.venv/bin/python scripts/recalibrated.py "$out/own-utkface/predictions.parquet"
