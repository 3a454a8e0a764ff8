#!/usr/bin/env bash
# Installs the Debian packages of the named groups that are missing. Nothing missing: no network, no sudo.
# usage: scripts/install.sh [build] [test] [lint] [chaos]
set -euo pipefail

build=(g++ cmake ninja-build ccache mold pkg-config libcaf-dev libboost1.81-dev libsqlite3-dev
  libssl-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libcli11-dev prometheus-cpp-dev
  libsodium-dev libcurl4-openssl-dev libutfcpp-dev ca-certificates tzdata
  flite1-dev libspeexdsp-dev python3 python3-pip python3-venv unzip)
test=(clang-14 libclang-rt-14-dev llvm-14 doctest-dev librapidcheck-dev sqlite3 python3 python3-venv
  chromium git espeak-ng sox flite faketime)
lint=(clang-format-14 clang-tidy-14 git)
chaos=(faketime fiu-utils e2fsprogs util-linux ca-certificates)

node_is_recent() {
  command -v npm >/dev/null || return 1
  local version
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  ((${version%%.*} >= 18))
}

wanted=()
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    test)
      wanted+=("${test[@]}")
      # Any Node from 18 on will do, wherever it came from.
      node_is_recent || wanted+=(nodejs npm)
      ;;
    lint) wanted+=("${lint[@]}") ;;
    chaos)
      wanted+=("${chaos[@]}")
      # The TCP proxy is built from its Go module; any Go will do.
      PATH=$PATH:/usr/local/go/bin command -v go >/dev/null || wanted+=(golang-go)
      ;;
    *)
      echo "install.sh: unknown group '$group'; there are build, test, lint and chaos" >&2
      exit 2
      ;;
  esac
done
((${#wanted[@]})) || exit 0

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian: packages are not installed for you. Needed here: ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "Packages are missing and there is no sudo. As root, run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" </dev/null
}

echo "Installing ${missing[*]}"
known() {
  local package
  for package in "${missing[@]}"; do
    apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}
known || apt update
# Package lists may be older than the archive: then the second try has fresh ones.
apt install -y --no-install-recommends "${missing[@]}" || {
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
}
