#!/usr/bin/env bash
# Builds dev and lab (the optimised binary and the lab), runs all tests, and ends with one line: N passed, M failed.
set -euo pipefail
source "$(dirname "$0")/env.sh"

started=$SECONDS
# Tests of speech do not pass for want of models: what is missing fails.
if ! scripts/models.sh --required; then
  echo "The models of speech could not be had; no test ran."
  exit 1
fi
export SIDEVOICE_REQUIRE_MODELS=1
export SIDEVOICE_MODELS=${SIDEVOICE_MODELS:-$SIDEVOICE_CACHE/models}
for build in "lab sidevoice lab_tests" dev; do
  # shellcheck disable=SC2086: preset and targets are words
  if ! scripts/build.sh $build; then
    echo "The build of $build failed after $((SECONDS - started)) s; no test ran."
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
