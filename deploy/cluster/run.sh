#!/usr/bin/env bash
# `make cluster`: nginx, web processes, workers, Redis and PostgreSQL on this machine, until Ctrl-C.
# When one of them ends, all end; on a server, systemd restarts them.
#
# PORT is nginx's port (8000); the ports after it are used too. CLUSTER_DATA is the data folder.
# CLUSTER_TLS=1 turns on https with a self-signed certificate. CLUSTER_WEBS and CLUSTER_WORKERS are
# the numbers of processes.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHON PORT=${PORT:-8000} CLUSTER_TLS=${CLUSTER_TLS:-}
export CLUSTER_WEBS=${CLUSTER_WEBS:-2} CLUSTER_WORKERS=${CLUSTER_WORKERS:-2}
CLUSTER_DATA=${CLUSTER_DATA:-var/cluster}
mkdir -p "$CLUSTER_DATA"
CLUSTER_DATA=$(cd "$CLUSTER_DATA" && pwd -P)
export CLUSTER_DATA

exec 9> "$CLUSTER_DATA/cluster.lock"
flock -n 9 || { echo "Another cluster runs in $CLUSTER_DATA." >&2; exit 2; }
bash deploy/cluster/prepare.sh
for file in partyline.env procfile.env; do
    while IFS= read -r line; do export "${line?}"; done < "$CLUSTER_DATA/$file"
done
echo "Partyline is at $PUBLIC_URL/"
[ "${PARTYLINE_DEMO:-}" != 1 ] || echo "Sign in as admin, ana, ben, cho; password partyline."
exec "$PYTHON" -m honcho -e /dev/null -f deploy/cluster/Procfile \
    start -p $((PORT + 1)) -c "web=$CLUSTER_WEBS,worker=$CLUSTER_WORKERS"
