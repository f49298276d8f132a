#!/bin/sh
# Train the fraud adapter that comes with the project anew, measure it, and put it and its pages in their places: data
# card, results, cost, and what it forgets, which is measured last and takes longest of them.
# What is already there in the work folder is used again: a stopped run goes on.
set -eu
work="${1:-out/finetune/packaged}"
finetune=".venv/bin/python -m finetune"
$finetune prepare --out "$work/data" --docs docs
$finetune train --data "$work/data/train.jsonl" --val "$work/data/validation.jsonl" --out "$work/run"
$finetune evaluate --adapter "$work/run" --data "$work/data/test.jsonl" --train-data "$work/data/train.jsonl" \
    --out "$work/run/report.json"
$finetune export --adapter "$work/run" --data "$work/data/test.jsonl" --report "$work/run/report.json" --threads 2
.venv/bin/python -m finetune.export.ship "$work/run/export" "$work/run/report.json" tools/fraud/packaged_adapters/fraud
cp "$work/run/report.json" docs/results/fraud-adapter.json
scripts/results_page.sh
$finetune cost --report docs/results/fraud-adapter.json --out "$work/cost" --docs docs
$finetune forgetting --adapter "$work/run" --out "$work/forgetting.json" --docs docs
