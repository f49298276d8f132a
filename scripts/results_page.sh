#!/bin/sh
# The page of all adapters that were measured, ours and the strangers', from their reports in docs/results.
set -eu
exec .venv/bin/python -m finetune report docs/results/fraud-adapter.json docs/results/stranger-*.json \
    --out docs/finetune-results.md
