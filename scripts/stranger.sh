#!/bin/sh
# The sidecar on tasks that are not ours: simulated clients and, where its file is given, another transaction simulator's
# rows. Trains with the defaults, measures on rows never seen, writes docs/results; what is already there is used again.
#   scripts/stranger.sh [work folder] [transactions_sparkov.csv]
set -eu
work="${1:-out/finetune/strangers}"
finetune=".venv/bin/python -m finetune"
measure() {
    $finetune evaluate --adapter "$1/run" --data "$1/data/test.$2" --train-data "$1/data/train.$2" --no-with-base \
        --out "$1/run/report.json"
    # Without the single rows: they are not ours to publish.
    .venv/bin/python -c 'import json, sys
report = json.load(open(sys.argv[1]))
report.pop("rows")
json.dump(report, open(sys.argv[2], "w"), indent=1)' "$1/run/report.json" "docs/results/$3.json"
    mkdir -p "docs/images/finetune-results/$3"
    cp "$1/run/report-plots/"*.png "docs/images/finetune-results/$3/"
}
.venv/bin/python -m finetune.data.clients --out "$work/clients/data"
$finetune train --data "$work/clients/data/train.csv" --task clients --out "$work/clients/run"
measure "$work/clients" csv stranger-clients
if [ -n "${2:-}" ]; then
    $finetune prepare --data "$2" --out "$work/transactions/data"
    $finetune train --data "$work/transactions/data/train.jsonl" --val "$work/transactions/data/validation.jsonl" \
        --task transactions --out "$work/transactions/run"
    measure "$work/transactions" jsonl stranger-transactions
fi
scripts/results_page.sh
