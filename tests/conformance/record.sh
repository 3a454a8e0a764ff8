#!/bin/sh
# Runs every suite of this folder, also after one that failed, and writes results.md.
# usage: tests/conformance/record.sh FOLDER     with SIDEVOICE_BINARY set
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${SIDEVOICE_BINARY:?set it to the sidevoice program}"
folder=${1:?usage: record.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
SIDEVOICE_RESULTS="$folder/results.jsonl"
export SIDEVOICE_RESULTS
: >"$SIDEVOICE_RESULTS"
: >"$folder/log"
load=$(cut -d' ' -f1-3 /proc/loadavg)
began=$(date +%s)
code=0
for suite in realtime_agents realtime_openai fake_openai typed_sessions; do
  echo "== $suite" >>"$folder/log"
  sh "$here/run.sh" "$folder/run" "$suite" >>"$folder/log" 2>&1 || code=1
done
python3 "$here/results.py" "$folder" "$(realpath "$SIDEVOICE_BINARY")" "$(($(date +%s) - began))" "$code" "$load"
exit "$code"
