#!/usr/bin/env bash
# backup.sh FOLDER KEYS_FOLDER [ENVIRONMENT_FILE]
#
# Writes FOLDER/partyline-TIME.dump (the database) and FOLDER/partyline-TIME.media.tar (pictures and
# files), and KEYS_FOLDER/partyline-TIME.keys.tar: the environment and the keys, without which the
# carriers' secrets in the dump cannot be read. Keep the two folders apart. Works while Partyline
# runs. The path of each file is printed once the file is whole.
set -euo pipefail
umask 077

[ $# -ge 2 ] || { echo "usage: backup.sh FOLDER KEYS_FOLDER [ENVIRONMENT_FILE]" >&2; exit 2; }
folder=$1 keys=$2 environment=${3:-/etc/partyline/partyline.env}
. "$(dirname "$0")/environment.sh"
name=partyline-$(date -u +%Y%m%dT%H%M%SZ)
mkdir -p "$folder" "$keys"

whole() { mv "$1.part" "$1"; echo "$1"; }

# First the database: every file that it names is then there to be packed.
pg_dump --format=custom --no-owner --no-privileges \
    --file "$folder/$name.dump.part"
whole "$folder/$name.dump"

[ -z "$(setting MEDIA_BUCKET)" ] ||
    echo "Files lie in the bucket $(setting MEDIA_BUCKET) and are not in this backup." >&2
mkdir -p "$data/media"
# A file that goes while it is packed was purged; tar says so with status 1.
tar -C "$data" -cf "$folder/$name.media.tar.part" media || [ $? -eq 1 ]
whole "$folder/$name.media.tar"

present=()
for key in secret_key field_keys vapid_key; do
    [ -e "$data/$key" ] && present+=("$key")
done
tar -cf "$keys/$name.keys.tar.part" -C "$(dirname "$environment")" "$(basename "$environment")" \
    -C "$data" ${present[@]+"${present[@]}"}
whole "$keys/$name.keys.tar"
