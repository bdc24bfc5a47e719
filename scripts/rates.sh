#!/usr/bin/env bash
# The table of learning rates in docs/results/appa-real.md. Usage: scripts/rates.sh DATA [OUT] [SEEDS]
# DATA and OUT as in scripts/results.sh, whose faces table and embeddings are used where they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?expected the folder that holds data/appa-real and models/, for example: scripts/rates.sh ../real}
out=${2:-results}
seeds=${3:-3}
fairage=.venv/bin/fairage
backbones=(--backbone "$data/models/mobilenet-v1-vggface2" --backbone "$data/models/mobilefacenet@crop:0.7")
mkdir -p "$out/rates/recipes"
[ -f "$out/appa.parquet" ] || $fairage data prepare appa-real "$data/data/appa-real" --out "$out/appa.parquet"
recipes=()
for rate in 1e-4 3e-4 5e-4 1e-3 2e-3 3e-3; do
    recipe="$out/rates/recipes/$rate.yaml"
    printf 'experiment: rates\nversion: "%s"\ntraining: {learning_rate: %s}\n' "$rate" "$rate" > "$recipe"
    recipes+=("$recipe")
done
$fairage run "${recipes[@]}" --faces "$out/appa.parquet" "${backbones[@]}" --store "$out/store" \
    --out "$out/rates/runs" --seeds "$seeds"
.venv/bin/python scripts/rates_table.py "$out/rates/runs"
