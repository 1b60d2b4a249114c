#!/usr/bin/env bash
# Brings what a group of work needs: `tools/deps.sh build`, or `check` or `company`, which include build.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

GROUP=${1:-build}
RUST_WANTED=1.88

packages_wanted() {
  awk -v group="$GROUP" '$1 == "build" || $1 == group {print $2}' tools/debian-packages.txt
}

packages_missing() {
  local package
  for package in $(packages_wanted); do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

ask_on_a_terminal() {
  [ "${CI:-}" = true ] && return
  [ "$(id -u)" = 0 ] && return
  [ -t 0 ] || fail "These Debian packages are missing: $*. Run 'make deps' on a terminal, or with CI=true."
  local answer
  read -rp "pilake needs these Debian packages: $*. Install them with sudo? [Y/n] " answer
  [[ ${answer:-y} =~ ^[Yy] ]] || fail "Nothing was installed."
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "Neither root nor sudo here; as root, run: $*"
  fi
}

install_packages() {
  local missing
  mapfile -t missing < <(packages_missing)
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null ||
    fail "This is not a Debian system; install the counterparts of: ${missing[*]}."
  ask_on_a_terminal "${missing[@]}"
  say "installing ${#missing[@]} Debian packages"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends
    "${missing[@]}")
  # A fresh machine has no package lists, an old one outdated ones: fetch them when they are the cause.
  as_root "${install[@]}" </dev/null >&2 || {
    as_root apt-get update -q >&2
    as_root "${install[@]}" </dev/null >&2
  }
}

check_rust() {
  local found
  found=$(rustc --version 2>/dev/null | awk '{print $2}') || true
  if ! command -v cargo >/dev/null || [ -z "$found" ] ||
    [ "$(printf '%s\n' "$RUST_WANTED" "$found" | sort -V | head -n 1)" != "$RUST_WANTED" ]; then
    fail "pilake needs Rust $RUST_WANTED or newer (found: ${found:-none}): install it with rustup as" \
      "rust-lang.org describes, then run make again."
  fi
}

check_rust
install_packages
