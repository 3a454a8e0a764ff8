#!/bin/sh
# Runs the official clients against the program; their packages are installed once into a folder of the build.
# usage: tests/conformance/run.sh FOLDER [realtime_agents|realtime_openai]...     with SIDEVOICE_BINARY set
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${SIDEVOICE_BINARY:?set it to the sidevoice program}"
folder=${1:?usage: run.sh FOLDER [realtime_agents|realtime_openai]...}
shift
SIDEVOICE_BINARY=$(realpath "$SIDEVOICE_BINARY")
SIDEVOICE_SOURCE_DIR=$(realpath "$here/../..")
export SIDEVOICE_BINARY SIDEVOICE_SOURCE_DIR
. "$here/packages.sh"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

realtime_agents() {
  mkdir -p "$folder/realtime_agents"
  install_node_packages "$here/realtime_agents/package.json" "$folder/realtime_agents"
  cp "$here"/realtime_agents/*.mjs "$here"/../e2e/server.mjs "$here"/../e2e/source.mjs "$folder/realtime_agents/"
  (cd "$folder/realtime_agents" && node --test --test-reporter=spec realtime_agents_test.mjs)
}

realtime_openai() {
  mkdir -p "$folder/realtime_openai"
  install_python_packages "$here/realtime_openai/requirements.txt" "$folder/realtime_openai"
  PYTHONDONTWRITEBYTECODE=1 "$folder/realtime_openai/venv/bin/python" -m pytest -q -p no:cacheprovider \
    -W ignore::DeprecationWarning:openai.lib._websocket "$here/realtime_openai"
}

if [ $# -eq 0 ]; then
  set -- realtime_agents realtime_openai
fi
for client in "$@"; do
  case $client in
    realtime_agents | realtime_openai) "$client" ;;
    *) echo "unknown client: $client" >&2; exit 2 ;;
  esac
done
