#!/usr/bin/env bash
# Measures voice activity on the optimised build and writes bench/results/vad.md.
# usage: bench/vad.sh [vad_bench]   (default: build/release/bench/vad_bench; SIDEVOICE_MODELS names the models' folder)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bench=${1:-build/release/bench/vad_bench}
export SIDEVOICE_MODELS=${SIDEVOICE_MODELS:-${HOME:?}/.cache/sidevoice/models}
arguments=(--wav tests/providers/sounds/berlin.wav --rounds 9 --frames 2000)

cpu=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1)
before=$(cut -d' ' -f1-3 /proc/loadavg)
raw=$("$bench" "${arguments[@]}")
after=$(cut -d' ' -f1-3 /proc/loadavg)
out=bench/results/vad.md
{
  echo "# Voice activity of one stream"
  echo
  echo "\`bench/vad.sh\` runs \`vad_bench ${arguments[*]}\` on $(nproc) cores (${cpu:-unknown}, $(uname -m)); load average"
  echo "before: $before, after: $after. One thread, one stream (batch of 1), a frame is 32 ms of sound; the engines take"
  echo "turns within each round. Microseconds a frame, medians of the rounds; CPU is the thread's own clock."
  echo
  echo "| engine | wall | CPU | share of a core for a stream that never pauses |"
  echo "| --- | --- | --- | --- |"
  sed -n 's/^median *\(.*[^ ]\)  *wall *\([0-9.]*\) us  cpu *\([0-9.]*\) us$/\1|\2|\3/p' <<<"$raw" |
    awk -F'|' '{ printf "| %s | %s | %s | %.3f %% |\n", $1, $2, $3, $3 / 320 }'
  echo
  echo "## Raw output"
  echo
  echo '```'
  echo "$raw"
  echo '```'
} >"$out.new"
mv "$out.new" "$out"
echo "written to $out"
