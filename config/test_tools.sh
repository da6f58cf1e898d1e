#!/usr/bin/env bash
# The tests need Chromium and a Redis server. As root on Debian they are installed, saying so first;
# otherwise they are named here, and the tests that need them fail.
set -euo pipefail

packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v redis-server >/dev/null || packages+=(redis-server)
[ ${#packages[@]} -eq 0 ] && exit 0

line="apt-get install --no-install-recommends ${packages[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "partyline: the tests need ${packages[*]}; running as root: $line"
    export DEBIAN_FRONTEND=noninteractive
    # The Redis server is started by the tests that want it, not by the system.
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null
else
    echo "partyline: missing for the tests: ${packages[*]}. On Debian: sudo $line" >&2
    echo "partyline: the tests that need them will fail; the rest runs." >&2
fi
