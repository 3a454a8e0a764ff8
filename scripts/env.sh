# Sourced by the scripts beside it: the repository's root, ccache, and how many jobs fit.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

# Clones in other folders share what was compiled: paths below the root are hashed relative to it.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-5G}"
if [[ -z "${CCACHE_DIR:-}" && ! -w "${HOME:-/nonexistent}" ]]; then
  export CCACHE_DIR="$root/.cache/ccache"
fi
# Where scripts/models.sh keeps models and whisper.cpp, and where cmake and the program look for them.
if [[ -z "${SIDEVOICE_CACHE:-}" ]]; then
  export SIDEVOICE_CACHE="${HOME:-$root}/.cache/sidevoice"
  [[ -w "${HOME:-/nonexistent}" ]] || SIDEVOICE_CACHE="$root/.cache/sidevoice"
fi

# A translation unit with sanitizers takes up to 1.2 GiB; two cores need two jobs, not four.
jobs_that_fit() {
  local cores memory_kib by_memory
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
  by_memory=$((memory_kib / 1200000))
  ((by_memory > 0)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}
JOBS=${JOBS:-$(jobs_that_fit)}
