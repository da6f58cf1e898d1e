#!/usr/bin/env bash
# upgrade.sh
#
# Run as root in /opt/partyline once the new code is there. Back up first. On a new machine it does
# everything except start the units.
#
# Migrations are safe while the old version runs, so they come first. The new static files follow,
# next to the old ones. Then one process restarts after the other, so that one always answers.
set -euo pipefail
cd "$(dirname "$0")/.."

bash config/prepare.sh .venv runtime
deploy/manage.sh upgrade

units() { systemctl list-units --plain --no-legend --state=active "$1" | awk '{print $1}'; }
for unit in $(units 'partyline-web@*'); do
    systemctl restart "$unit"
    port=${unit#*@}
    for _ in $(seq 60); do
        curl -fsS -o /dev/null "http://127.0.0.1:${port%.service}/readyz" && continue 2
        sleep 1
    done
    echo "$unit is not ready after a minute; the rest still runs the old version" >&2
    exit 1
done
for unit in $(units 'partyline-worker@*'); do
    systemctl restart "$unit"
done

# What the old version wrote meanwhile is brought up to date now that none of it runs.
deploy/manage.sh refold_words
deploy/manage.sh recount_failures
