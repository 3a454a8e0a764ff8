#!/usr/bin/env bash
# Measures the local speech engines and writes bench/results/speech.md. usage: bench/speech.sh [ROUNDS]
# Needs build/release/bench/speech_bench (scripts/build.sh release speech_bench) and the models.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"

binary=${SPEECH_BENCH:-build/release/bench/speech_bench}
rounds=${1:-3}
out=bench/results/speech.md
if [[ ! -x $binary ]]; then
  echo "bench/speech.sh: there is no $binary; run scripts/build.sh release speech_bench" >&2
  exit 1
fi
load() {
  cut -d' ' -f1-3 /proc/loadavg
}

before=$(load)
raw=$("$binary" --rounds "$rounds")
after=$(load)
{
  echo "# Local speech engines"
  echo
  echo "One thread, ten sentences of 8 to 13 words, $rounds rounds each. Times are CPU times of the thread unless they say"
  echo "wall, so that another's load changes them little. Whisper hears what flite has just said."
  echo
  echo '```text'
  echo "command   bench/speech.sh $rounds"
  echo "date      $(date -u +%Y-%m-%dT%H:%MZ)"
  echo "machine   $(nproc) cores, $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1)"
  echo "load      $before before, $after after"
  echo "$raw"
  echo '```'
} >"$out"
cat "$out"
