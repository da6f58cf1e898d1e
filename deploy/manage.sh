#!/usr/bin/env bash
# manage.sh COMMAND…, as root: manage.py as the units run it, with their user, folder and environment.
set -euo pipefail
cd "$(dirname "$0")/.."
line=--pipe
[ ! -t 0 ] || line=--pty
exec systemd-run --quiet "$line" --wait --collect \
    --property=User=partyline --property=Group=partyline \
    --property=StateDirectory=partyline --property=StateDirectoryMode=0711 \
    --property=EnvironmentFile=/etc/partyline/partyline.env \
    --property=WorkingDirectory="$PWD" "$PWD/.venv/bin/python" manage.py "$@"
