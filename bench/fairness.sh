#!/usr/bin/env bash
# One app beyond its limits, or with a vendor that hangs, beside another; writes bench/results/fairness.md.
# usage: bench/fairness.sh [FLAG...]   (bench/fairness.py --help)
# Needs scripts/build.sh release sidevoice steady_load.
set -euo pipefail
source "$(dirname "$0")/../scripts/env.sh"
exec python3 bench/fairness.py "$@"
