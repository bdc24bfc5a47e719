#!/usr/bin/env bash
# The frontier and the trials in docs/results/frontier.md. Usage: scripts/frontier.sh DATA [OUT] [SEEDS] [SUITE]
# DATA holds data/appa-real, data/utkface and models/; OUT is as in scripts/results.sh, whose faces table and
# embeddings are used again; SUITE is frontier or trials. Embedding UTKFace's 23,705 faces in four views takes about an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?expected the folder that holds data/ and models/, for example: scripts/frontier.sh ../real}
out=${2:-results}
seeds=${3:-5}
suite=${4:-frontier}
fairage=.venv/bin/fairage
mobilenet=$data/models/mobilenet-v1-vggface2
mobilefacenet=$data/models/mobilefacenet
mkdir -p "$out"
[ -f "$out/appa.parquet" ] || $fairage data prepare appa-real "$data/data/appa-real" --out "$out/appa.parquet"
[ -f "$out/utk.parquet" ] || $fairage data prepare utkface "$data/data/utkface" --out "$out/utk.parquet" \
    --shares 0.95,0.05,0  # its test rows are not needed, its validation rows choose an epoch
$fairage suite "$suite" --faces "$out/appa.parquet" --extra-faces "utkface=$out/utk.parquet" \
    --backbone "$mobilenet" --backbone "$mobilefacenet@crop:0.7" \
    --backbone "$mobilenet@aligned:1.2" --backbone "$mobilefacenet@aligned" \
    --store "$out/store" --out "$out/$suite" --seeds "$seeds"
.venv/bin/python scripts/results_table.py "$out/$suite"
echo
.venv/bin/python scripts/validation_table.py "$out/$suite"
