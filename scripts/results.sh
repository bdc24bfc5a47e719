#!/usr/bin/env bash
# The runs behind docs/results/appa-real.md. Usage: scripts/results.sh DATA [OUT]
# DATA holds data/appa-real and models/; everything is written to OUT (default: results).
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?expected the folder that holds data/appa-real and models/, for example: make results REAL_DATA=../real}
out=${2:-results}
fairage=.venv/bin/fairage
backbones=(--backbone "$data/models/mobilenet-v1-vggface2" --backbone "$data/models/mobilefacenet@crop:0.7")
mkdir -p "$out"
$fairage data prepare appa-real "$data/data/appa-real" --out "$out/appa.parquet"
$fairage embed "$out/appa.parquet" "${backbones[@]}" --store "$out/store"
$fairage suite published --faces "$out/appa.parquet" "${backbones[@]}" --store "$out/store" \
    --out "$out/published" --seeds 3
.venv/bin/python scripts/results_table.py "$out/published"
