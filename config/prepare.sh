#!/usr/bin/env bash
# Make the virtual environment, or update it if the lock file has changed.
# Usage: prepare.sh FOLDER runtime|dev   (PYTHON chooses the interpreter)
set -euo pipefail

venv=$1
kind=$2

missing() {
    echo "partyline: $1 is missing. On Debian or Ubuntu: $2" >&2
    exit 2
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && echo "$PYTHON" && return
        missing "Python 3.11 or newer (PYTHON=$PYTHON is not)" "apt-get install python3 python3-venv"
    fi
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    missing "Python 3.11 or newer" "apt-get install python3 python3-venv"
}

command -v git >/dev/null || missing git "apt-get install git"

stamp="$venv/.partyline-$kind"
wanted=$(cat requirements/runtime.txt "requirements/$kind.txt" | cksum)
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        missing "Python's venv module" "apt-get install python3-venv (or python$version-venv)"
    echo "partyline: making the virtual environment $venv with Python $version"
    "$python" -m venv "$venv"
fi
echo "partyline: installing the packages of requirements/$kind.txt"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    --requirement "requirements/$kind.txt"
echo "$wanted" >"$stamp"
