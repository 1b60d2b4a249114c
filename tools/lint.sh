#!/usr/bin/env bash
# All that can be said about the code without running it. Goes through every check before it fails.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

FAILED=0
check() {
  say "$1"
  shift
  "$@" || FAILED=1
}

cpp_files() { git ls-files '*.h' '*.cc' ':!*/pilake_bridge.h'; }  # which is generated
shell_files() { git ls-files '*.sh' .ci/run; }

check_format() { cpp_files | xargs clang-format-19 --dry-run --Werror; }
check_shell() { shell_files | xargs shellcheck --external-sources --exclude=SC2317; }
check_rust_format() { cargo fmt --manifest-path "$BRIDGE/Cargo.toml" --check; }
check_clippy() {
  cargo clippy --manifest-path "$BRIDGE/Cargo.toml" --release --locked --quiet --all-targets -- -D warnings
}
check "C++ format" check_format
check "shell scripts" check_shell
check "rooms" python3 tools/check_rooms.py
check "licence lines, private paths" python3 tools/check_files.py
check "licences" python3 tools/check_licences.py
check "Rust format" check_rust_format
check "clippy" check_clippy
exit "$FAILED"
