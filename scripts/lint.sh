#!/usr/bin/env bash
# clang-tidy over the .cpp files that differ from BASE (default: origin/main, else HEAD~1), or over FILES.
# A changed header is checked through the .cpp of the same name. 18 to 50 s a file, so never over everything.
set -euo pipefail
source "$(dirname "$0")/env.sh"
scripts/build.sh dev --configure-only

base() {
  local candidate
  for candidate in "${BASE:-origin/main}" HEAD~1 HEAD; do
    if git rev-parse --verify --quiet "$candidate^{commit}" >/dev/null; then
      git merge-base "$candidate" HEAD
      return
    fi
  done
}
changed() {
  local since
  since=$(base)
  [[ -z $since ]] || git diff --name-only --diff-filter=d "$since" -- '*.cpp' '*.hpp'
  git ls-files --others --exclude-standard -- '*.cpp' '*.hpp'
}

if [[ -n ${FILES:-} ]]; then
  read -ra files <<<"$FILES"
else
  mapfile -t files < <(changed | sed 's/\.hpp$/.cpp/' | sort -u | while read -r file; do
    [[ ! -f $file ]] || echo "$file"
  done)
fi
if ((${#files[@]} == 0)); then
  echo "Nothing changed that clang-tidy could read."
  exit 0
fi
printf '%s\n' "${files[@]}"
printf '%s\0' "${files[@]}" | xargs -0 -n1 -P"$JOBS" clang-tidy-14 -p build/dev --quiet
