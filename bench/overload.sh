#!/usr/bin/env bash
# Measures what a server does with twice the sessions it can hold, and writes bench/results/overload.md.
# usage: bench/overload.sh [FLAG...]      as root, with control groups of version 1 or 2 that may be written
#   --runs 3            of the overload, each on a fresh server
#   --think-ms 2000     between the turns of a session
#   --seconds 20        of each phase: before, with the crowd, behind it
#   --steps 50,100,...  sessions that are tried to find what is sustainable
#   --binaries DIR      build folder (default build/release: scripts/build.sh release sidevoice overload_load)
# The server has a third of core 0, in periods of 10 ms; the client has core 1. Without a control group, or when the
# client's own timers slip by more than 5 ms at p99, the result is void and says so.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
python3 bench/overload.py "$@"
