#!/usr/bin/env bash
# Configures and builds a preset. usage: scripts/build.sh PRESET [--configure-only | TARGET...]
set -euo pipefail
source "$(dirname "$0")/env.sh"

preset=$1
shift
# Before cmake: it looks whether there is a whisper.cpp. A download that fails is no fault of the build.
scripts/models.sh
log=build/$preset.configure.log
mkdir -p build
# A cache of another folder, compiler or CMake does not stop us: the second try starts afresh.
if ! cmake --preset "$preset" >"$log" 2>&1 && ! cmake --fresh --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  echo "cmake --preset $preset failed; docs/building.md lists the packages it needs" >&2
  exit 1
fi
[[ ${1:-} != --configure-only ]] || exit 0
cmake --build --preset "$preset" --parallel "$JOBS" ${*:+--target "$@"}
