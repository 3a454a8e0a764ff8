#!/usr/bin/env bash
# Runs each fuzzer for some minutes, two at a time, from its seeds and from what earlier runs found; ends with those that
# failed. Their inputs are in build/fuzz.
set -euo pipefail
source "$(dirname "$0")/env.sh"

minutes=${MINUTES:-10}
scripts/build.sh dev fuzzers
mkdir -p build/fuzz
targets=${FUZZ:-$(cd build/dev/tests/fuzz && ls -1 -- *_fuzz | sed 's/_fuzz$//')}

run() {
  local name=$1
  mkdir -p "build/fuzz/$name"
  if build/dev/tests/fuzz/"${name}_fuzz" -max_total_time=$((60 * $2)) -timeout=5 -max_len=8192 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/$name-" "build/fuzz/$name" "tests/fuzz/seeds/$name" >"build/fuzz/$name.log" 2>&1; then
    echo "$name: $(grep -o 'number_of_executed_units.*' "build/fuzz/$name.log" | tr -s ' ')"
  else
    echo "$name FAILED: see build/fuzz/$name.log"
    return 1
  fi
}
export -f run

# shellcheck disable=SC2086: a list of names
printf '%s\n' $targets | xargs -P "${JOBS:-2}" -I NAME bash -c "run NAME $minutes"
