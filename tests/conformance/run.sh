#!/bin/sh
# Runs the official clients against the program; their packages are installed once into a folder of the build.
# usage: tests/conformance/run.sh FOLDER [realtime_agents|realtime_openai|fake_openai|typed_sessions|spoken_sessions]...     with SIDEVOICE_BINARY set
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${SIDEVOICE_BINARY:?set it to the sidevoice program}"
folder=${1:?usage: run.sh FOLDER [realtime_agents|realtime_openai|fake_openai|typed_sessions|spoken_sessions]...}
shift
SIDEVOICE_BINARY=$(realpath "$SIDEVOICE_BINARY")
SIDEVOICE_SOURCE_DIR=$(realpath "$here/../..")
export SIDEVOICE_BINARY SIDEVOICE_SOURCE_DIR
. "$here/packages.sh"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# A certificate for localhost, made for this run; its authority is what the clients are told to trust.
make_certificate() {
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=tests" \
    -keyout "$1/authority.key" -out "$1/authority.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" \
    -keyout "$1/key.pem" -out "$1/request.pem" 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$1/names"
  openssl x509 -req -in "$1/request.pem" -CA "$1/authority.pem" -CAkey "$1/authority.key" -CAcreateserial \
    -days 2 -extfile "$1/names" -out "$1/cert.pem" 2>/dev/null
  chmod 600 "$1/key.pem" "$1/authority.key"
}

realtime_agents() {
  mkdir -p "$folder/realtime_agents"
  install_node_packages "$here/realtime_agents/package.json" "$folder/realtime_agents"
  cp "$here"/realtime_agents/*.mjs "$here"/../e2e/server.mjs "$here"/../e2e/source.mjs "$folder/realtime_agents/"
  (cd "$folder/realtime_agents" && node --test --test-reporter=spec realtime_agents_test.mjs)
  make_certificate "$folder/realtime_agents/tls"
  (cd "$folder/realtime_agents" && SIDEVOICE_TLS="$PWD/tls" NODE_EXTRA_CA_CERTS="$PWD/tls/authority.pem" \
    node --test --test-reporter=spec realtime_agents_test.mjs realtime_secure_test.mjs)
}

realtime_openai() {
  mkdir -p "$folder/realtime_openai"
  install_python_packages "$here/realtime_openai/requirements.txt" "$folder/realtime_openai"
  PYTHONDONTWRITEBYTECODE=1 "$folder/realtime_openai/venv/bin/python" -m pytest -q -p no:cacheprovider \
    -W ignore::DeprecationWarning:openai.lib._websocket "$here/realtime_openai"
  make_certificate "$folder/realtime_openai/tls"
  SIDEVOICE_TLS="$folder/realtime_openai/tls" SSL_CERT_FILE="$folder/realtime_openai/tls/authority.pem" \
    PYTHONDONTWRITEBYTECODE=1 "$folder/realtime_openai/venv/bin/python" -m pytest -q -p no:cacheprovider \
    -W ignore::DeprecationWarning:openai.lib._websocket "$here/realtime_openai"
}

fake_openai() {
  mkdir -p "$folder/fake_openai"
  install_node_packages "$here/fake_openai/package.json" "$folder/fake_openai"
  install_python_packages "$here/fake_openai/requirements.txt" "$folder/fake_openai"
  cp "$here"/fake_openai/*.mjs "$folder/fake_openai/"
  (cd "$folder/fake_openai" && node --test --test-reporter=spec fake_openai_test.mjs)
  PYTHONDONTWRITEBYTECODE=1 "$folder/fake_openai/venv/bin/python" -m pytest -q -p no:cacheprovider "$here/fake_openai"
}

typed_sessions() {
  at="$folder/typed_sessions"
  mkdir -p "$at"
  install_node_packages "$here/typed_sessions/package.json" "$at"
  install_python_packages "$here/typed_sessions/requirements.txt" "$at"
  cp "$here"/typed_sessions/*.mjs "$here/fake_openai/fake.mjs" "$here"/../e2e/server.mjs "$here"/../e2e/source.mjs "$at/"
  make_certificate "$at/tls"
  # All of it, also after a failure, so that the results are whole; what a transport exports ends with its shell.
  failed=0
  (typed_sessions_over) || failed=1
  (
    SIDEVOICE_TLS="$at/tls" NODE_EXTRA_CA_CERTS="$at/tls/authority.pem" SSL_CERT_FILE="$at/tls/authority.pem"
    export SIDEVOICE_TLS NODE_EXTRA_CA_CERTS SSL_CERT_FILE
    typed_sessions_over
  ) || failed=1
  return "$failed"
}

typed_sessions_over() {
  bad=0
  (cd "$at" && node --test --test-reporter=spec typed_sessions_test.mjs) || bad=1
  PYTHONDONTWRITEBYTECODE=1 "$at/venv/bin/python" -m pytest -q -p no:cacheprovider "$here/typed_sessions" || bad=1
  return "$bad"
}

spoken_sessions() {
  command -v flite >/dev/null && command -v sox >/dev/null || { echo "flite or sox is missing: apt-get install flite sox" >&2; exit 1; }
  at="$folder/spoken_sessions"
  mkdir -p "$at"
  install_node_packages "$here/spoken_sessions/package.json" "$at"
  install_python_packages "$here/spoken_sessions/requirements.txt" "$at"
  cp "$here"/spoken_sessions/*.mjs "$here/fake_openai/fake.mjs" "$here"/../e2e/server.mjs "$here"/../e2e/source.mjs "$at/"
  # What a case has received that fails.
  SIDEVOICE_EVENTS="$at/events"
  export SIDEVOICE_EVENTS
  rm -rf "$SIDEVOICE_EVENTS"
  bad=0
  (cd "$at" && node --test --test-reporter=spec spoken_sessions_test.mjs) || bad=1
  PYTHONDONTWRITEBYTECODE=1 "$at/venv/bin/python" -m pytest -q -p no:cacheprovider "$here/spoken_sessions" || bad=1
  return "$bad"
}

if [ $# -eq 0 ]; then
  set -- realtime_agents realtime_openai fake_openai typed_sessions spoken_sessions
fi
for client in "$@"; do
  case $client in
    realtime_agents | realtime_openai | fake_openai | typed_sessions | spoken_sessions) "$client" ;;
    *) echo "unknown client: $client" >&2; exit 2 ;;
  esac
done
