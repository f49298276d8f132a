#!/usr/bin/env bash
# Resolve pyproject.toml into the files that pip installs with --no-deps. `scripts/lock.sh --upgrade` takes newer versions;
# without it the versions already locked are kept wherever they still satisfy pyproject.toml. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "lock: uv is missing: python3 -m pip install uv" >&2; exit 1; }

# One lock serves Python 3.11 to 3.13 on Linux and macOS: differences are environment markers.
resolve() {
    local output=$1
    shift
    echo "locks/$output"
    uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links \
        --annotation-style line --output-file "locks/$output" "$@"
}

resolve_project() {
    resolve "$@" pyproject.toml --excludes locks/excludes.txt --constraints locks/build.txt --constraints locks/constraints.in
}

# Prints base.txt as constraints for Studio, without the two packages that its server wants older.
base_constraints() {
    grep -E '^[a-z0-9-]+==' locks/base.txt | sed 's/ \\$//' | grep -vE '^(protobuf|grpcio)=='
}

resolve build.txt locks/build.in --generate-hashes "$@"
# dev is resolved first: it is the superset, and every other lock takes its versions from it.
resolve_project dev.txt --generate-hashes --extra eval --extra phoenix --extra postgres --extra dev "$@"
resolve_project base.txt --generate-hashes --constraints locks/dev.txt "$@"
resolve_project postgres.txt --generate-hashes --extra postgres --constraints locks/dev.txt "$@"
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
base_constraints >"$constraints"
resolve_project studio.txt locks/studio.in --generate-hashes --no-annotate --constraints "$constraints" "$@"
# No hashes: torch's build is chosen per machine, and each build has files of its own.
resolve_project finetune-cuda.txt --extra finetune --constraints locks/dev.txt "$@"
resolve_project finetune.txt --excludes locks/excludes-cuda.txt --extra finetune --constraints locks/finetune-cuda.txt "$@"
