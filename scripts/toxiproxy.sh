#!/usr/bin/env bash
# Builds the TCP proxy with faults (the Go module github.com/Shopify/toxiproxy/v2) once, and prints its path.
# usage: scripts/toxiproxy.sh
set -euo pipefail
source "$(dirname "$0")/env.sh"

version=v2.12.0
folder="$SIDEVOICE_CACHE/toxiproxy"
program="$folder/$version/server"
if [[ ! -x $program ]]; then
  PATH=$PATH:/usr/local/go/bin
  if ! command -v go >/dev/null; then
    echo "toxiproxy.sh: there is no Go; scripts/install.sh chaos installs it" >&2
    exit 1
  fi
  mkdir -p "$folder/$version"
  echo "Building toxiproxy $version into $folder" >&2
  GOBIN="$folder/$version" GOFLAGS=-mod=mod go install "github.com/Shopify/toxiproxy/v2/cmd/server@$version" >&2
fi
echo "$program"
