# Sourced by backup.sh and restore.sh: reads the environment file named by $environment.
# Sets $data, and PGHOST … PGDATABASE from DATABASE_URL. With a password on the command line, all
# users could see it with `ps`.

setting() { sed -n "s/^$1=//p" "$environment" | tail -n 1; }
decoded() { printf '%b' "${1//%/\\x}"; }

data=$(setting PARTYLINE_DATA)
address=$(setting DATABASE_URL)
[ -n "$data" ] || { echo "$environment has no PARTYLINE_DATA" >&2; exit 2; }
[[ $address =~ ^postgres(ql)?://([^:@/]+)(:([^@/]*))?@([^:/?]*)(:([0-9]+))?/([^?]+)$ ]] || {
    echo "$environment has no DATABASE_URL like postgresql://user:password@host:port/name" >&2
    exit 2
}
PGUSER=$(decoded "${BASH_REMATCH[2]}")
PGPASSWORD=$(decoded "${BASH_REMATCH[4]}")
PGHOST=$(decoded "${BASH_REMATCH[5]}")
PGPORT=${BASH_REMATCH[7]:-5432}
PGDATABASE=$(decoded "${BASH_REMATCH[8]}")
export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE
