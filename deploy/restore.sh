#!/usr/bin/env bash
# restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]
#
# Brings back what backup.sh wrote, into the empty database and the data folder that the environment
# file names. The environment itself is not brought back: on a new machine it differs; unpack KEYS_TAR
# by hand to compare. Stop Partyline first. Refuses a database that has tables, and an environment
# that lacks a secret which the packed one names.
#
# What waited to be sent when the backup was made may have gone since. So nothing of it goes by
# itself: such texts stand as failed, and planned ones as held, each with a word on why. Everybody
# signs in anew, with their second factor where they have one.
set -euo pipefail
umask 077

[ $# -ge 3 ] || { echo "usage: restore.sh DUMP MEDIA_TAR KEYS_TAR [ENVIRONMENT_FILE]" >&2; exit 2; }
dump=$1 media=$2 keys=$3 environment=${4:-/etc/partyline/partyline.env}
. "$(dirname "$0")/environment.sh"

tables=$(psql -XAtc "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
[ "$tables" = 0 ] || { echo "The database has $tables tables already; nothing was done." >&2; exit 3; }

# Not by a pipe: grep leaves at the first match, and tar's broken pipe would pass for "not there".
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
# A backup of an earlier version has them in the dump.
if grep -qx second_factors.dump <<<"$packed"; then
    tar -xOf "$keys" second_factors.dump |
        pg_restore --data-only --exit-on-error --single-transaction --dbname "$PGDATABASE"
fi
why="Brought back from a backup: it may have gone already. Look, and send it again if it is wanted."
psql -Xq --single-transaction -v ON_ERROR_STOP=1 -v why="$why" <<'SQL'
UPDATE messaging_message SET state = 'failed', reason = :'why'
 WHERE kind = 'outbound' AND state = 'queued';
UPDATE messaging_scheduledtext SET state = 'held', reason = :'why' WHERE state = 'waiting';
SQL
if [ "$(id -u)" = 0 ] && id partyline >/dev/null 2>&1; then
    chown -R partyline:partyline "$data"
fi
echo "restored; now run migrate and start Partyline"
