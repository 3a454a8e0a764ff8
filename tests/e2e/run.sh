#!/bin/sh
# Runs the tests of the page and of the client in a folder of the build, where their packages are installed once.
# usage: tests/e2e/run.sh FOLDER [FILE...]     with SIDEVOICE_BINARY set to the program
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${SIDEVOICE_BINARY:?set it to the sidevoice program}"
folder=${1:?usage: run.sh FOLDER [FILE...]}
shift
SIDEVOICE_BINARY=$(realpath "$SIDEVOICE_BINARY")
SIDEVOICE_SOURCE_DIR=$(realpath "$here/../..")
export SIDEVOICE_BINARY SIDEVOICE_SOURCE_DIR
. "$here/../conformance/packages.sh"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
install_node_packages "$here/package.json" "$folder"
rm -f "$folder"/*.mjs
cp "$here"/*.mjs "$folder/"
cd "$folder"
if [ $# -eq 0 ]; then
  set -- *_test.mjs
fi
for file in "$@"; do
  case $file in
    *_test.mjs) node --test --test-reporter=spec "$file" ;;
    *) node "$file" ;;
  esac
done
