#!/usr/bin/env bash
# Formats all C++ sources of the repository; with --check it only says which are not.
set -euo pipefail
source "$(dirname "$0")/env.sh"
mapfile -t sources < <(git ls-files -co --exclude-standard '*.cpp' '*.hpp' | while read -r file; do
  [[ ! -f $file ]] || echo "$file"
done)
if [[ ${1:-} == --check ]]; then
  clang-format-14 --dry-run --Werror "${sources[@]}" || {
    echo "Run: make format" >&2
    exit 1
  }
else
  clang-format-14 -i "${sources[@]}"
fi
echo "${#sources[@]} files"
