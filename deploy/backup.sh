#!/usr/bin/env bash
# backup.sh FOLDER KEYS_FOLDER [ENVIRONMENT_FILE]
#
# Writes FOLDER/partyline-TIME.dump (the database), FOLDER/partyline-TIME.media.tar (pictures and
# files), and KEYS_FOLDER/partyline-TIME.keys.tar: the environment, the keys, without which the
# carriers' secrets in the dump cannot be read, and the second factors. Keep the two folders apart.
# Neither contains sessions. Works while Partyline runs. Prints the path of each file once the file
# is complete.
set -euo pipefail
umask 077

[ $# -ge 2 ] || { echo "usage: backup.sh FOLDER KEYS_FOLDER [ENVIRONMENT_FILE]" >&2; exit 2; }
folder=$1 keys=$2 environment=${3:-/etc/partyline/partyline.env}
. "$(dirname "$0")/environment.sh"
name=partyline-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$folder" "$keys"

finish() { mv "$1.part" "$1"; echo "$1"; }
work=$(mktemp -d "$keys/.partyline.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Both dumps show the same moment: this session holds its snapshot until they are made.
coproc moment { psql -XAtq -v ON_ERROR_STOP=1; }
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot();" >&"${moment[1]}"
read -r snapshot <&"${moment[0]}"
dump() { pg_dump --format=custom --no-owner --no-privileges --snapshot="$snapshot" "$@"; }

# The database comes first, so that every file that it names is there to be packed. Sessions, and
# push subscriptions, which end with their sessions, would be of use to a thief only.
dump --exclude-table-data=django_session --exclude-table-data=messaging_pushsubscription \
    --exclude-table-data='otp_*' --file "$folder/$name.dump.part"
dump --data-only --table='otp_*' --file "$work/second_factors.dump"
echo 'COMMIT;' >&"${moment[1]}"
finish "$folder/$name.dump"

[ -z "$(setting MEDIA_BUCKET)" ] ||
    echo "Files lie in the bucket $(setting MEDIA_BUCKET) and are not in this backup." >&2
mkdir -p "$data/media"
# A file that disappears while it is packed was deleted for good; tar reports that with status 1.
tar -C "$data" -cf "$folder/$name.media.tar.part" media || [ $? -eq 1 ]
finish "$folder/$name.media.tar"

present=()
for key in secret_key field_keys vapid_key; do
    [ -e "$data/$key" ] && present+=("$key")
done
tar -cf "$keys/$name.keys.tar.part" -C "$(dirname "$environment")" "$(basename "$environment")" \
    -C "$work" second_factors.dump -C "$data" ${present[@]+"${present[@]}"}
finish "$keys/$name.keys.tar"
