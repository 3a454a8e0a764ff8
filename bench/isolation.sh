#!/usr/bin/env bash
# One actor of each kind crashing every second beside 500 sessions; writes bench/results/isolation.md.
# usage: bench/isolation.sh [FLAG...]   (bench/isolation.py --help)
# Needs scripts/build.sh lab sidevoice steady_load; flite and sox for the actors of a voice seat.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
export SIDEVOICE_MODELS=${SIDEVOICE_MODELS:-$SIDEVOICE_CACHE/models}
exec python3 bench/isolation.py "$@"
