#!/usr/bin/env bash
# Whether tables are read and written, and faces prepared, with the oldest libraries that pyproject.toml allows.
# Usage: scripts/check_lowest.sh. It needs .venv; numpy stays as it is there, for the libraries that tests compare with.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/python scripts/lowest_versions.py > "$work/lowest.txt"
grep -v '^numpy' "$work/lowest.txt" > "$work/others.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$work/lowest" -r "$work/others.txt" 2> "$work/pip.txt" || {
    cat "$work/pip.txt" >&2
    exit 1
}
rm -rf "$work"/lowest/numpy*
PYTHONPATH=$work/lowest .venv/bin/python -m pytest -n 2 -q -p no:cacheprovider tests/test_table*.py tests/datasets
