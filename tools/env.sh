# shellcheck shell=bash
# Sourced by the other scripts: where things are, and a few words for talking to a person.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT" || exit

# Everything that outlives a checkout: a first build takes minutes, later ones should not.
export PILAKE_CACHE=${PILAKE_CACHE:-$HOME/.cache/pilake}
export CARGO_TARGET_DIR=$PILAKE_CACHE/cargo
export CCACHE_DIR=${CCACHE_DIR:-$PILAKE_CACHE/ccache}
# Another checkout of the same sources finds the same objects.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=true
mkdir -p "$PILAKE_CACHE" "$CARGO_TARGET_DIR" "$CCACHE_DIR"

# rustup puts cargo here without telling the shells that are already open.
[ -d "$HOME/.cargo/bin" ] && PATH=$PATH:$HOME/.cargo/bin

JOBS=${JOBS:-$(nproc)}
BRIDGE=src/delta/bridge
export ROOT JOBS BRIDGE

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 2; }
