#!/usr/bin/env bash
# Proves pilake with the servers that a company has: object stores, a catalog, a domain's KDC, an issuer of
# tokens, proxies. Those that are no Debian packages are built once, into the cache. Arguments go to pytest:
# `tools/company.sh -k s3`. PILAKE_COMPANY=long takes its time.
set -euo pipefail
# shellcheck source=tools/env.sh
source "$(dirname "$0")/env.sh"

tools/deps.sh company

export PILAKE_COMPANY_BIN=$PILAKE_CACHE/company/bin
mkdir -p "$PILAKE_COMPANY_BIN"

for tool in go npm cargo openssl; do
  command -v $tool >/dev/null || fail "the servers of these tests are built with $tool, which is not here"
done

COMPANY=$PILAKE_CACHE/company

# use NAME VERSION PROGRAM: from now on NAME is PROGRAM of COMPANY/NAME-VERSION; false if that is missing.
use() {
  local program=$COMPANY/$1-$2/$3
  [ -x "$program" ] && ln -sfn "$program" "$PILAKE_COMPANY_BIN/$1"
}

# go_server NAME VERSION PACKAGE PROGRAM
go_server() {
  use "$1" "$2" "$4" && return
  say "building $1 $2, once"
  GOBIN=$COMPANY/$1-$2 GOFLAGS=-buildvcs=false go install "$3@v$2"
  use "$1" "$2" "$4"
}

azurite() {
  local version=3.37.0 program=node_modules/.bin/azurite-blob
  use azurite-blob $version $program && return
  say "installing Azurite $version, once"
  npm install --silent --no-audit --no-fund --prefix "$COMPANY/azurite-blob-$version" azurite@$version
  use azurite-blob $version $program
}

# Its folder of modules, for tests/company/issuer.mjs.
oidc_provider() {
  local version=9.13.3
  use oidc-provider $version node_modules && return
  say "installing oidc-provider $version, once"
  npm install --silent --no-audit --no-fund --prefix "$COMPANY/oidc-provider-$version" oidc-provider@$version
  use oidc-provider $version node_modules
}

# A Unity Catalog server by others, independent of Databricks' own.
catalog_server() {
  local version=0.0.11
  use uc-server $version bin/uc-server && return
  say "building the catalog server, once: about 15 minutes on two cores"
  CARGO_TARGET_DIR=$COMPANY/uc-target cargo install --quiet --locked --root "$COMPANY/uc-server-$version" \
    olai-uc-server --version $version --features bin
  rm -rf "$COMPANY/uc-target"
  use uc-server $version bin/uc-server
}

go_server versitygw 1.8.0 github.com/versity/versitygw/cmd/versitygw versitygw
go_server toxiproxy 2.5.0 github.com/Shopify/toxiproxy/v2/cmd/server server
go_server fake-gcs-server 1.56.1 github.com/fsouza/fake-gcs-server fake-gcs-server
azurite
oidc_provider
catalog_server

tools/build.sh release pilake
tools/python.sh -m pytest tests/company -q "$@"
