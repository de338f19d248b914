# Shared by the scripts in this folder; sourced, never run. shellcheck shell=bash

# Print why and end.
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# find_python MIN MAX: print the newest Python >= 3.MIN and <= 3.MAX that starts and can make
# virtual environments. A name on PATH alone proves nothing: version managers leave dead shims.
find_python() {
  local minor name
  for name in $(for ((minor = $2; minor >= $1; minor--)); do echo "python3.$minor"; done) python3 python; do
    if "$name" -c "import ensurepip, sys, venv; sys.exit(not (3, $1) <= sys.version_info[:2] <= (3, $2))" \
      >/dev/null 2>&1; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

# quietly LOG COMMAND...: run a command, show its output only when it fails.
quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    printf 'failed: %s\n' "$*" >&2
    tail -n 60 "$log" >&2
    return 1
  fi
}

# venv_sound FOLDER: tell whether the folder holds an environment that was made for this very place
# (a moved one starts the commands of its old place) and whose Python still starts.
venv_sound() {
  [[ -x $1/bin/python ]] && "$1/bin/python" -c 'import pip' >/dev/null 2>&1 &&
    grep -qF "$(cd "$1" && pwd)" "$1/bin/activate"
}

# make_venv FOLDER MIN MAX: make a virtual environment unless a sound one is there.
make_venv() {
  local python
  if venv_sound "$1"; then return 0; fi
  python=$(find_python "$2" "$3") ||
    fail "Python 3.$2 or newer with its venv module is needed and was not found on PATH" \
      "(on Debian and Ubuntu: apt install python3 python3-venv)."
  rm -rf "$1"
  quietly "${1%/}.log" "$python" -m venv "$1" || return 1
  rm -f "${1%/}.log"
}

# pip_install FOLDER ARGUMENT...: install into the environment in FOLDER, quietly.
pip_install() {
  local venv=$1
  shift
  quietly "$venv/install.log" "$venv/bin/python" -m pip install -q --disable-pip-version-check \
    --no-input "$@"
}

# install_checkout FOLDER EXTRA: install this checkout, editable, with an extra, unless nothing that
# decides about it has changed since.
install_checkout() {
  local stamp
  stamp=$(cksum pyproject.toml)
  if [[ -f $1/.installed-$2 && $(<"$1/.installed-$2") == "$stamp" ]]; then return 0; fi
  pip_install "$1" -e ".[$2]"
  printf '%s' "$stamp" >"$1/.installed-$2"
}
