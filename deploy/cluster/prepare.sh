#!/usr/bin/env bash
# Prepare a data folder for `make cluster`: settings, an up-to-date database, nginx's files.
# deploy/cluster/run.sh describes the variables. Can be run again on the same folder.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() { echo "$*" >&2; exit 2; }
data=$CLUSTER_DATA

program() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" ||
        fail "$1 is missing. On Debian: sudo apt-get install $1"
}

check_ports() {
    local port
    for port in "$@"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            fail "Port $port is taken; ports $1 to ${!#} are needed. Try others: PORT=$((${!#} + 1))"
        fi
    done
}

# If we are root, PostgreSQL runs as the user `postgres`, who has to reach its data.
make_reachable() {
    local folder=$1
    while [ "$folder" != / ]; do
        if [ -z "$(find "$folder" -maxdepth 0 -perm -o=x)" ]; then
            echo "running as root: letting all users pass through $folder" >&2
            chmod a+x "$folder"
        fi
        folder=$(dirname "$folder")
    done
}

find_postgres() {
    local bin
    bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
    if [ -n "$bin" ]; then
        echo "$bin"
    elif [ "$(id -u)" = 0 ]; then
        fail "PostgreSQL is missing. On Debian: sudo apt-get install postgresql"
    else
        "$PYTHON" -c 'from config.embedded.paths import program_folder; print(program_folder())'
    fi
}

make_database() {
    local folder=$data/postgres password_file=$data/postgres.password
    (umask 077; printf '%s' "$1" > "$password_file")
    mkdir -m 700 "$folder"
    [ -z "$AS_POSTGRES" ] || chown postgres:postgres "$folder" "$password_file"
    # shellcheck disable=SC2086
    (cd "$data" && LC_ALL=C.UTF-8 $AS_POSTGRES "$POSTGRES_BIN/initdb" -D "$folder" \
        --username=partyline --auth=scram-sha-256 --pwfile="$password_file" \
        --encoding=UTF8 --locale=C.UTF-8 > /dev/null)
    rm "$password_file"
    echo "include 'partyline.conf'" >> "$folder/postgresql.conf"
}

make_certificate() {
    [ -f "$data/nginx/privkey.pem" ] && return
    (umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
        -subj "/CN=Partyline on this machine" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
        -keyout "$data/nginx/privkey.pem" -out "$data/nginx/fullchain.pem" 2> /dev/null)
}

mkdir -p "$data/logs" "$data/nginx"
chmod 711 "$data"  # like StateDirectoryMode in the units
web_ports=()
for number in $(seq "$CLUSTER_WEBS"); do web_ports+=($((PORT + number))); done
REDIS_PORT=$((PORT + CLUSTER_WEBS + 1))
database_port=$((REDIS_PORT + 1))
check_ports "$PORT" "${web_ports[@]}" "$REDIS_PORT" "$database_port"
NGINX_PROGRAM=$(program nginx)
program redis-server > /dev/null
POSTGRES_BIN=$(find_postgres)
AS_POSTGRES=
nginx_user=
if [ "$(id -u)" = 0 ]; then
    AS_POSTGRES="setpriv --reuid=postgres --regid=postgres --clear-groups --"
    nginx_user="user www-data;"
    make_reachable "$data"
fi

scheme=http
[ "$CLUSTER_TLS" = 1 ] && scheme=https
url=$scheme://127.0.0.1:$PORT
if [ ! -f "$data/database_password" ]; then
    (umask 077; "$PYTHON" -c 'import secrets; print(secrets.token_urlsafe(24), end="")' \
        > "$data/database_password")
fi
password=$(cat "$data/database_password")
[ -f "$data/postgres/PG_VERSION" ] || make_database "$password"
cp deploy/postgresql/partyline.conf "$data/postgres/partyline.conf"
cat >> "$data/postgres/partyline.conf" << END
port = $database_port
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
END
chmod 644 "$data/postgres/partyline.conf"

# The settings of deploy/partyline.env, and the variables that the Procfile needs besides.
(umask 077; cat > "$data/partyline.env" << END
PUBLIC_URL=${PUBLIC_URL:-$url}
PARTYLINE_DATA=$data
DATABASE_URL=postgresql://partyline:$password@127.0.0.1:$database_port/partyline
REDIS_URL=redis://127.0.0.1:$REDIS_PORT/0
END
cat > "$data/procfile.env" << END
PYTHON=$PYTHON
NGINX_PROGRAM=$NGINX_PROGRAM
POSTGRES_BIN=$POSTGRES_BIN
AS_POSTGRES=$AS_POSTGRES
REDIS_PORT=$REDIS_PORT
END
)
while IFS= read -r line; do export "${line?}"; done < "$data/partyline.env"

options=(--web-ports "${web_ports[@]}" --listen "127.0.0.1:$PORT" --logs "$data/logs")
options+=(--no-limits)  # all callers share one address here
if [ "$CLUSTER_TLS" = 1 ]; then
    make_certificate
    options+=(--certificates "$data/nginx")
else
    options+=(--no-tls)
fi
"$PYTHON" manage.py nginx_site "${options[@]}" > "$data/nginx/site.conf"
{ echo "$nginx_user"; data=$data envsubst '$data' < deploy/cluster/nginx.conf.template; } \
    > "$data/nginx/nginx.conf"
"$NGINX_PROGRAM" -t -q -e stderr -c "$data/nginx/nginx.conf"

# Bring the database up to date before the processes start, as deploy/upgrade.sh does.
control_postgres() {
    # shellcheck disable=SC2086
    (cd "$data" && $AS_POSTGRES "$POSTGRES_BIN/pg_ctl" -D "$data/postgres" "$@" > /dev/null)
}
control_postgres -w -l "$data/postgres/start.log" start
trap 'control_postgres -m fast stop' EXIT
query() { PGPASSWORD=$password "$POSTGRES_BIN/psql" -h 127.0.0.1 -p "$database_port" -U partyline postgres -tAc "$1"; }
[ "$(query "SELECT 1 FROM pg_database WHERE datname = 'partyline'")" = 1 ] ||
    query "CREATE DATABASE partyline" > /dev/null
"$PYTHON" manage.py migrate --no-input -v 0
"$PYTHON" manage.py collectstatic --no-input -v 0
[ "${PARTYLINE_DEMO:-}" != 1 ] || "$PYTHON" manage.py seed_demo -v 0
[ "$(id -u)" != 0 ] || make_reachable "$data/static"
