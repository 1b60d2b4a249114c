#!/usr/bin/env bash
# Makes what is handed out, in build/packages: a tarball and a Debian package for each machine that is
# named, `tools/package.sh x86_64`, with the inventory of what is inside.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

VERSION=$(sed -n 's/^project(pilake VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
# The same sources make the same files, to the byte.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CMakeLists.txt)
export SOURCE_DATE_EPOCH
PACKAGES=build/packages
LARGEST_BYTES=40000000

# Man page and completions are made by the binary itself, and so by the one that runs here.
SPEAKER=build/portable-$(uname -m)/pilake

# install_tree ROOT ZSH-FOLDER: what both kinds of package have, below ROOT.
install_tree() {
  local root=$1 zsh=$2
  local docs=$root/share/doc/pilake
  install -D "build/portable-$ARCH/pilake" "$root/bin/pilake"
  install -d "$root/share/man/man1" "$root/share/bash-completion/completions" "$root/share/zsh/$zsh" \
    "$root/share/fish/vendor_completions.d" "$root/lib/systemd/system" "$docs/examples"
  "$SPEAKER" --man-page | gzip -9n >"$root/share/man/man1/pilake.1.gz"
  "$SPEAKER" --completion bash >"$root/share/bash-completion/completions/pilake"
  "$SPEAKER" --completion zsh >"$root/share/zsh/$zsh/_pilake"
  "$SPEAKER" --completion fish >"$root/share/fish/vendor_completions.d/pilake.fish"
  "$SPEAKER" init >"$docs/examples/pilake.yaml"
  install -m 644 deploy/systemd/pilake.service "$root/lib/systemd/system"
  install -m 644 THIRD-PARTY.md "$docs"
  python3 tools/inventory.py "$VERSION" "$(tools/portable_libraries.sh "$ARCH")" "$docs"
}

tarball() {
  local name=pilake-$VERSION-linux-$ARCH
  rm -rf "${STAGE:?}"
  install_tree "$STAGE/$name" site-functions
  install -m 644 LICENSE CHANGELOG.md "$STAGE/$name/share/doc/pilake"
  # It is unpacked where a system has what is not a package of its own.
  sed -i 's|/usr/bin/pilake|/usr/local/bin/pilake|' "$STAGE/$name/lib/systemd/system/pilake.service"
  tar --create --gzip --file "$PACKAGES/$name.tar.gz" --directory "$STAGE" --sort=name --owner=0 --group=0 \
    --numeric-owner --mode=go=rX,u+rw "--mtime=@$SOURCE_DATE_EPOCH" "$name"
}

# The inverse of `uname -m`, in Debian's words.
debian_architecture() {
  case $ARCH in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
  esac
}

debian_package() {
  local architecture
  architecture=$(debian_architecture)
  rm -rf "${STAGE:?}"
  install_tree "$STAGE/usr" vendor-completions
  install -m 644 deploy/debian/copyright "$STAGE/usr/share/doc/pilake"
  gzip -9n <CHANGELOG.md >"$STAGE/usr/share/doc/pilake/changelog.gz"
  gzip -9n "$STAGE/usr/share/doc/pilake/NOTICES"
  install -d "$STAGE/etc/pilake" "$STAGE/DEBIAN"
  install deploy/debian/{postinst,prerm,postrm} "$STAGE/DEBIAN"
  (cd "$STAGE" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$STAGE/DEBIAN/md5sums"
  sed -e "s/@VERSION@/$VERSION/" -e "s/@ARCHITECTURE@/$architecture/" \
    -e "s/@KILOBYTES@/$(du -k -s --apparent-size "$STAGE" | cut -f 1)/" deploy/debian/control >"$STAGE/DEBIAN/control"
  chmod -R go=rX,u+w "$STAGE"
  # Older dpkg does not know zstd.
  dpkg-deb --root-owner-group -Zxz --build "$STAGE" "$PACKAGES/pilake_${VERSION}_$architecture.deb" >&2
}

mkdir -p "$PACKAGES"
rm -f "$PACKAGES"/pilake*
for ARCH; do
  tools/portable.sh "$ARCH"
  python3 tools/check_binary.py "build/portable-$ARCH/pilake"
done
[ -x "$SPEAKER" ] || tools/portable.sh "$(uname -m)"
for ARCH; do
  STAGE=build/stage-$ARCH
  tarball
  cp "$STAGE"/pilake-*/share/doc/pilake/sbom.cdx.json "$PACKAGES/pilake-$VERSION-linux-$ARCH.cdx.json"
  debian_package
done
rm -rf build/stage-*
say "$PACKAGES"
for file in "$PACKAGES"/*; do
  bytes=$(stat -c %s "$file")
  printf '%6.1f MB  %s\n' "${bytes}e-6" "${file##*/}"
  [ "$bytes" -lt "$LARGEST_BYTES" ] || fail "$file is larger than it may be."
done
