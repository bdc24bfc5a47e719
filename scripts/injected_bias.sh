#!/usr/bin/env bash
# The run behind docs/results/injected-bias.md: what mitigations do to a bias of known size.
# Usage: scripts/injected_bias.sh [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-results/injected-bias}
fairage=.venv/bin/fairage
$fairage data synthesize --out "$out/faces" --n 8000 --workers 2 --bias "age_group=old:cue=0.5"
$fairage suite mitigations --faces "$out/faces/faces.parquet" --backbone embedded --store "$out/store" \
    --out "$out/suite" --seeds 3
.venv/bin/python scripts/group_table.py "$out/suite" --attribute age_group --group old \
    --truth "$out/faces/truth.json"
