#!/usr/bin/env bash
# Builds dev and release, runs all tests, and ends with one line: N passed, M failed.
set -euo pipefail
source "$(dirname "$0")/env.sh"

started=$SECONDS
for preset in release dev; do
  if ! scripts/build.sh "$preset"; then
    echo "The $preset build failed after $((SECONDS - started)) s; no test ran."
    exit 1
  fi
done
built=$((SECONDS - started))

rm -f build/dev/junit.xml
status=0
ctest --preset dev --parallel 2 --output-junit junit.xml || status=$?
total=$((SECONDS - started))
python3 scripts/summary.py build/dev/junit.xml --build-s "$built" --wall-s "$total" || status=$?
exit "$status"
