#!/usr/bin/env bash
# Builds the portable wheels, build/packages/*.whl: one for the Python of PATH and, with Debian 13's in a bare system
# (for root alone), one for Python 3.12 and all later ones.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

rm -f build/packages/*.whl
tools/wheel.sh --portable

SYSTEM=$(tools/bare_system.sh trixie amd64 python3-venv python3-dev cmake ninja-build ccache)
# Debian's pyconfig.h includes another by a path from /usr/include, where a compiler for another glibc may not look.
mkdir -p "$SYSTEM/usr/include/python3.13/x86_64-linux-gnu"
ln -sfn ../../x86_64-linux-gnu/python3.13 "$SYSTEM/usr/include/python3.13/x86_64-linux-gnu/python3.13"
# It has no network: what pip wants lies here.
PARTS=$PILAKE_CACHE/wheel-parts
python3 -m pip download --quiet --disable-pip-version-check --only-binary :all: --python-version 3.13 --no-deps \
  --dest "$PARTS" --requirement python/requirements.txt
FOLDERS=(/proc /dev "$ROOT" "$PILAKE_CACHE" "${CARGO_HOME:-$HOME/.cargo}" "${RUSTUP_HOME:-$HOME/.rustup}")
mkdir -p "${FOLDERS[@]/#/$SYSTEM}"
export SYSTEM PARTS
# Mounts of a namespace of their own end with it.
# shellcheck disable=SC2016
unshare --mount bash -euc 'for folder; do mount --bind "$folder" "$SYSTEM$folder"; done
  exec chroot "$SYSTEM" env -i "HOME=$HOME" "PATH=$HOME/.cargo/bin:/usr/bin:/bin" "PILAKE_CACHE=$PILAKE_CACHE" \
    "JOBS=$JOBS" PIP_NO_INDEX=1 "PIP_FIND_LINKS=$PARTS" "$ROOT/tools/wheel.sh" --portable' - "${FOLDERS[@]}"
