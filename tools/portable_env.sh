# shellcheck shell=bash
# Sourced, with ARCH set (x86_64 or aarch64): what CMake, cargo and the crates' build scripts must be told
# so that they build for any Linux with glibc 2.28 or later. Puts CMake's part into PORTABLE.
export PILAKE_PORTABLE
PILAKE_PORTABLE=$(tools/portable_libraries.sh "$ARCH")
# shellcheck disable=SC2034
PORTABLE=(-D "CMAKE_TOOLCHAIN_FILE=$ROOT/cmake/portable.cmake" -D "PILAKE_PORTABLE=$PILAKE_PORTABLE" -D "PILAKE_PORTABLE_ARCH=$ARCH")

# The bridge of this machine needs no newer glibc either, for so old are the functions that Rust uses. For
# another machine cargo and the crates' build scripts are told of the compiler by the target's name.
if [ "$ARCH" != "$(uname -m)" ]; then
  export CARGO_BUILD_TARGET=$ARCH-unknown-linux-gnu
  TARGET_WORD=${CARGO_BUILD_TARGET//-/_}
  export "CC_$TARGET_WORD=$PILAKE_PORTABLE/bin/zig-cc" "CXX_$TARGET_WORD=$PILAKE_PORTABLE/bin/zig-c++" \
    "AR_$TARGET_WORD=$PILAKE_PORTABLE/bin/zig-ar" "RANLIB_$TARGET_WORD=$PILAKE_PORTABLE/bin/zig-ranlib" \
    "CARGO_TARGET_${TARGET_WORD^^}_LINKER=$PILAKE_PORTABLE/bin/zig-cc"
  [ -d "$(rustc --print sysroot)/lib/rustlib/$CARGO_BUILD_TARGET/lib" ] || rustup target add "$CARGO_BUILD_TARGET" >&2 ||
    fail "Rust's own library for $CARGO_BUILD_TARGET is missing; with rustup: rustup target add $CARGO_BUILD_TARGET"
fi

# ccache does not know Zig by its name.
export CCACHE_COMPILERTYPE=clang CCACHE_COMPILERCHECK=content
