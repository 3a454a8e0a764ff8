# Sourced by the test scripts: installs pinned packages into a folder of the build, once for each version of the list.

# install_node_packages PACKAGE_JSON FOLDER
install_node_packages() {
  if [ -d "$2/node_modules" ] && cmp -s "$1" "$2/package.json"; then
    return
  fi
  command -v npm >/dev/null || { echo "npm is missing: apt-get install nodejs npm" >&2; exit 1; }
  rm -rf "$2/node_modules" "$2/package.json" "$2/installing"
  mkdir -p "$2/installing"
  cp "$1" "$2/installing/package.json"
  # No lock file: it would name the hosts of whoever made it. The versions are pinned in the list.
  (cd "$2/installing" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
  mv "$2/installing/node_modules" "$2/node_modules"
  # Last, so that an installation that broke is done again.
  mv "$2/installing/package.json" "$2/package.json"
  rm -rf "$2/installing"
}

# install_python_packages REQUIREMENTS FOLDER
install_python_packages() {
  if [ -x "$2/venv/bin/python" ] && cmp -s "$1" "$2/requirements.txt"; then
    return
  fi
  rm -rf "$2/venv" "$2/requirements.txt"
  python3 -m venv "$2/venv" || { echo "python3 -m venv failed: apt-get install python3-venv" >&2; exit 1; }
  "$2/venv/bin/pip" install --quiet --disable-pip-version-check -r "$1"
  # Last, so that an installation that broke is done again.
  cp "$1" "$2/requirements.txt"
}
