#!/usr/bin/env bash
# Make virtual environment $1 hold lock $2 (base, postgres, dev, studio or finetune) and this project, editable.
# PYTHON names the interpreter that makes a missing environment. Nothing is resolved: the lock is complete.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
lock=locks/$2.txt
python=${PYTHON:-python3}

fail() {
    echo "install: $1" >&2
    exit 1
}

# Settings of another Python environment must not leak into this one.
unset PYTHONPATH PYTHONHOME

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    command -v "$python" >/dev/null || fail "$python is missing: install Python 3.11 or newer, or name one with PYTHON=..."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $python is $("$python" -V 2>&1): name another with PYTHON=python3.12"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: apt-get install python3-venv"
    "$python" -m venv --clear "$venv"
fi

pip_install() {
    # Nothing is resolved. Bytecode is written on first import, for what is really used.
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input --no-deps --no-compile "$@"
}

echo "Installing $lock into $venv (a minute or two the first time)"
pip_install -r locks/build.txt && pip_install -r "$lock" ||
    fail "pip could not install $lock; is the package registry reachable?"
pip_install --no-index --no-build-isolation -e . || fail "pip could not install this project into $venv"
touch "$venv/.$2"
