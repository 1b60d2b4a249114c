#!/usr/bin/env bash
# Prints the folder of a Debian system with nothing in it but what Debian cannot do without, made on
# first use and kept in the cache: `tools/bare_system.sh bullseye`. A second word is another machine,
# whose programs are there but not set up; further ones are packages that it has, too.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

SUITE=$1
ARCHITECTURE=${2:-$(dpkg --print-architecture)}
PACKAGES=${*:3}
NAME=$SUITE-$ARCHITECTURE${PACKAGES:+-${PACKAGES// /-}}
SYSTEM=$PILAKE_CACHE/systems/$NAME

[ "$(id -u)" = 0 ] || fail "A system is made, and entered, by root alone: run this as root."
mkdir -p "$PILAKE_CACHE/systems"
exec 9>"$SYSTEM.lock"
flock 9
if [ ! -d "$SYSTEM" ]; then
  say "fetching a bare Debian $NAME, once"
  OPTIONS=(--variant=minbase --arch="$ARCHITECTURE" ${PACKAGES:+"--include=${PACKAGES// /,}"})
  [ "$ARCHITECTURE" = "$(dpkg --print-architecture)" ] || OPTIONS+=(--foreign)
  rm -rf "$SYSTEM.new"
  debootstrap "${OPTIONS[@]}" "$SUITE" "$SYSTEM.new" http://deb.debian.org/debian >"$SYSTEM.log" 2>&1 || {
    tail -n 20 "$SYSTEM.log" >&2
    fail "debootstrap failed; all that it said: $SYSTEM.log"
  }
  rm -rf "$SYSTEM.new"/var/cache/apt/archives/*.deb
  mv "$SYSTEM.new" "$SYSTEM"
fi
echo "$SYSTEM"
