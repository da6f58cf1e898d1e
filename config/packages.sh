#!/usr/bin/env bash
# packages.sh PURPOSE PACKAGE…
#
# Makes sure that programs from Debian's packages are there. As root on Debian, says which are missing
# and installs them; otherwise only says which are missing, and exits with status 1.
set -euo pipefail
purpose=$1
shift

is_installed() {
    case $1 in
        webkit2gtk-driver) command -v WebKitWebDriver >/dev/null ;;
        xvfb) command -v Xvfb >/dev/null ;;
        systemd) command -v systemd-analyze >/dev/null ;;
        postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ;;
        *) PATH=$PATH:/usr/sbin command -v "$1" >/dev/null ;;
    esac
}

packages=()
for package in "$@"; do
    is_installed "$package" || packages+=("$package")
done
[ ${#packages[@]} -eq 0 ] && exit 0

line="apt-get install --no-install-recommends ${packages[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "partyline: missing for $purpose: ${packages[*]}; running as root: $line"
    export DEBIAN_FRONTEND=noninteractive
    # We need the programs only: Debian asks this file before it starts a package's service, and
    # nginx and Caddy would both want port 80.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'rm -f $policy' EXIT
        printf '#!/bin/sh\nexit 101\n' >$policy
        chmod 755 $policy
    fi
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null
else
    echo "partyline: missing for $purpose: ${packages[*]}. On Debian: sudo $line" >&2
    exit 1
fi
