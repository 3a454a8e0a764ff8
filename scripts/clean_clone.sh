#!/usr/bin/env bash
# Clones the committed state into a fresh folder, runs `make test` there without a terminal, and reports its time.
# usage: scripts/clean_clone.sh [--cold] [--out FILE]   --cold: with an empty compiler cache
set -euo pipefail
origin=$(cd "$(dirname "$0")/.." && pwd -P)
cold=
out=
while (($#)); do
  case $1 in
    --cold) cold=yes ;;
    --out)
      out=$(realpath -m "$2")
      shift
      ;;
    *)
      echo "usage: $0 [--cold] [--out FILE]" >&2
      exit 2
      ;;
  esac
  shift
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
git clone --quiet "$origin" "$folder/clone"
cd "$folder/clone"
cache="as it was"
if [[ -n $cold ]]; then
  export CCACHE_DIR="$folder/ccache"
  cache="empty at the start"
fi

load_before=$(cut -d' ' -f1-3 /proc/loadavg)
started=$SECONDS
status=0
.ci/run </dev/null >"$folder/output" 2>&1 || status=$?
wall=$((SECONDS - started))

report() {
  echo "command     scripts/clean_clone.sh${cold:+ --cold}"
  echo "commit      $(git rev-parse HEAD)"
  echo "date        $(date -u +%Y-%m-%dT%H:%MZ)"
  echo "machine     $(nproc) cores, $(awk '/^MemTotal:/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
  echo "load        $load_before before, $(cut -d' ' -f1-3 /proc/loadavg) after"
  echo "ccache      $cache"
  echo "wall        $wall s"
  echo "exit code   $status"
  echo
  echo "-- end of its output ($(wc -l <"$folder/output") lines in all)"
  # The clone's folder is nobody's business.
  tail -n 60 "$folder/output" | sed "s|$folder/clone|.|g; s|$folder|.|g"
}
if [[ -n $out ]]; then
  mkdir -p "$(dirname "$out")"
  report | tee "$out"
else
  report
fi
exit "$status"
