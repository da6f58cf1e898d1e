#!/usr/bin/env bash
# restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]
#
# Restores what backup.sh wrote, into the empty database and the data folder that the environment
# file names. It does not restore the environment itself, which differs on a new machine; unpack
# KEYS_TAR by hand to compare. Stop Partyline first. Refuses a database that has tables, and an
# environment that lacks a secret of the packed one.
#
# Texts that were waiting when the backup was made may have been sent since, so none of them is sent
# automatically: they appear as failed, and scheduled ones as held, with the reason. Everyone has to
# sign in again, with their second factor if they have one.
set -euo pipefail
umask 077

[ $# -ge 3 ] || { echo "usage: restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]" >&2; exit 2; }
dump=$1 media=$2 keys=$3 environment=${4:-/etc/partyline/partyline.env}
. "$(dirname "$0")/environment.sh"

tables=$(psql -XAtc "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database has $tables tables already; nothing was done." >&2; exit 3; }

# No pipe: grep ends at the first match, and tar's broken pipe would look like "not found".
packed=$(tar -tf "$keys")
packed_environment=$(grep -vxE 'secret_key|field_keys|vapid_key|second_factors\.dump' <<<"$packed")
for name in SECRET_KEY FIELD_KEYS VAPID_PRIVATE_KEY; do
    value=$(tar -xOf "$keys" "$packed_environment" | sed -n "s/^$name=//p" | tail -n 1)
    if [ -n "$value" ] && [ "$value" != "$(setting "$name")" ]; then
        echo "The backup was made with another $name than $environment has; nothing was done." >&2
        exit 4
    fi
done

[ -d "$data" ] || mkdir -p -m 0711 "$data"
for key in secret_key field_keys vapid_key; do
    if grep -qx "$key" <<<"$packed"; then
        tar -C "$data" -xpf "$keys" "$key"
    fi
done
tar -C "$data" -xpf "$media"
pg_restore --no-owner --no-privileges --exit-on-error --single-transaction \
    --dbname "$PGDATABASE" "$dump"
# A backup by an earlier version has the second factors in the dump.
if grep -qx second_factors.dump <<<"$packed"; then
    tar -xOf "$keys" second_factors.dump |
        pg_restore --data-only --exit-on-error --single-transaction --dbname "$PGDATABASE"
fi
why="Restored from a backup: this may have gone already. Check, and send it again if needed."
psql -Xq --single-transaction -v ON_ERROR_STOP=1 -v why="$why" <<'SQL'
UPDATE messaging_message SET state = 'failed', reason = :'why'
 WHERE kind = 'outbound' AND state = 'queued';
UPDATE messaging_scheduledtext SET state = 'held', reason = :'why' WHERE state = 'waiting';
SQL
if [ "$(id -u)" = 0 ] && id partyline >/dev/null 2>&1; then
    chown -R partyline:partyline "$data"
fi
echo "restored; now run migrate and start Partyline"
