#!/usr/bin/env bash
# Runs a part that has a program of its own: bench or chaos. usage: scripts/part.sh PART [ARGUMENT...]
# The program is `run`, with any ending, in the part's folder; it gets the release binary as SIDEVOICE_BINARY.
set -euo pipefail
source "$(dirname "$0")/env.sh"

part=$1
shift
export SIDEVOICE_BINARY="$root/build/release/sidevoice"
for program in "bench/run" "tests/$part/run"; do
  [[ $(dirname "$program") == *"$part" ]] || continue
  for file in "$program" "$program".*; do
    [[ -x $file && -f $file ]] && exec "./$file" "$@"
  done
done
echo "there is no program to run in the folder of '$part' (an executable file named run)" >&2
exit 1
