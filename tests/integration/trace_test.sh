#!/bin/sh
# The traces of the real server, read by OpenTelemetry's own definitions, installed once into a folder of the build.
# usage: trace_test.sh FOLDER BINARY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: trace_test.sh FOLDER BINARY}
binary=${2:?usage: trace_test.sh FOLDER BINARY}
. "$here/../conformance/packages.sh"
mkdir -p "$folder"
install_python_packages "$here/trace_requirements.txt" "$folder"
PYTHONDONTWRITEBYTECODE=1 exec "$folder/venv/bin/python" "$here/trace_test.py" "$binary"
