#!/usr/bin/env bash
# Which stretch of the estimates: the table of powers and knots in docs/results/frontier.md, by five folds of
# the training and validation faces. Usage: scripts/folds.sh DATA [OUT]; after scripts/frontier.sh DATA OUT.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?expected the folder that holds data/ and models/, for example: scripts/folds.sh ../real}
out=${2:-results}
mobilenet=$data/models/mobilenet-v1-vggface2
mobilefacenet=$data/models/mobilefacenet
.venv/bin/python scripts/folds.py split "$out/appa.parquet" "$out/folds"
for fold in 0 1 2 3 4; do
    .venv/bin/fairage run "$out/folds/recalibrated.yaml" "$out/folds/fair.yaml" --faces "$out/folds/$fold.parquet" \
        --extra-faces "utkface=$out/utk.parquet" \
        --backbone "$mobilenet" --backbone "$mobilefacenet@crop:0.7" \
        --backbone "$mobilenet@aligned:1.2" --backbone "$mobilefacenet@aligned" \
        --store "$out/store" --out "$out/folds/runs-$fold" --seeds 1
done
.venv/bin/python scripts/folds.py table "$out/folds"
