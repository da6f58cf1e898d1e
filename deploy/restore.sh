#!/usr/bin/env bash
# restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]
#
# Brings back what backup.sh wrote, into the empty database and the data folder that the environment
# file names. The environment itself is not brought back: on a new machine it differs; unpack KEYS_TAR
# by hand to compare. Stop Partyline first. Refuses a database that has tables.
set -euo pipefail
umask 077

[ $# -ge 3 ] || { echo "usage: restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]" >&2; exit 2; }
dump=$1 media=$2 keys=$3 environment=${4:-/etc/partyline/partyline.env}
. "$(dirname "$0")/environment.sh"

tables=$(psql -XAtc "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database has $tables tables already; nothing was done." >&2; exit 3; }

mkdir -p "$data"
# Not by a pipe: grep leaves at the first match, and tar's broken pipe would pass for "not there".
packed=$(tar -tf "$keys")
for key in secret_key field_keys vapid_key; do
    if grep -qx "$key" <<<"$packed"; then
        tar -C "$data" -xpf "$keys" "$key"
    fi
done
tar -C "$data" -xpf "$media"
pg_restore --no-owner --no-privileges --exit-on-error --single-transaction \
    --dbname "$PGDATABASE" "$dump"
echo "restored; now run migrate and start Partyline"
