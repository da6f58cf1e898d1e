#!/usr/bin/env bash
# manage.sh COMMAND…
#
# Run as root: runs manage.py as the units do, with their user, folder and environment.
set -euo pipefail
cd "$(dirname "$0")/.."
# A terminal for commands that ask something; a pipe for output that is redirected to a file.
line=--pipe
[ ! -t 0 ] || [ ! -t 1 ] || line=--pty
exec systemd-run --quiet "$line" --wait --collect \
    --property=User=partyline --property=Group=partyline \
    --property=StateDirectory=partyline --property=StateDirectoryMode=0711 \
    --property=EnvironmentFile=/etc/partyline/partyline.env \
    --property=WorkingDirectory="$PWD" "$PWD/.venv/bin/python" manage.py "$@"
