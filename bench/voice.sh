#!/usr/bin/env bash
# Measures spoken sessions on the optimised build and writes bench/results/voice.md. usage: bench/voice.sh [FLAG...]
#   --seconds 15        of each step, behind a ramp of 4 s (--base-seconds 40: of the step with one session)
#   --steps 1,10,50,... sessions with scripted engines; stops at the first step that is too slow
#   --over 100         sessions of the steps in which every third answer is talked over, --over-seconds 30
#   --profiled 100     sessions of the step that is profiled
#   --real 1,2,4,8      sessions with the local engines; stops once transcripts lag by more than 2 s
#   --binaries DIR      build folder (default build/release: scripts/build.sh release sidevoice voice_load)
# Scripted engines: sidevoice serve --fake-speech (providers/speech/fake_engines.hpp), real voice activity.
# The server has core 0 alone, the client core 1. Needs flite, sox, taskset; perf for the profile.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
export SIDEVOICE_MODELS=${SIDEVOICE_MODELS:-$SIDEVOICE_CACHE/models}

folder=$(mktemp -d "${TMPDIR:-/tmp}/sidevoice-voice.XXXXXX")
trap 'rm -rf "$folder"' EXIT
flite -voice slt -t "I would like to move to Berlin." -o "$folder/said.wav"
sox "$folder/said.wav" -r 24000 -c 1 -b 16 -e signed-integer "$folder/said.raw"
python3 bench/voice.py --folder "$folder" "$@"
