# shellcheck shell=bash
# Makes .venv hold the package. Sourced by run_all.sh and run_tests.sh, from the project's root.
#
# PYTHON=/path/to/python3 names the interpreter to make .venv with.

VENV=.venv
VENV_PYTHON=$VENV/bin/python
INSTALL_LOG=$VENV/install.log
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() {
  printf 'seedproof: %s\n' "$1" >&2
}

fail() {
  say "$1"
  exit 2
}

# tensorflow-cpu has wheels for few machines; elsewhere tensorflow is the CPU build.
tensorflow_extra() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo tensorflow-cpu ;;
    *) echo tensorflow ;;
  esac
}

is_recent() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  if [[ -n "${PYTHON:-}" ]]; then
    is_recent "$PYTHON" || fail "PYTHON=$PYTHON is no Python 3.11 or newer"
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if is_recent "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "found no Python 3.11 or newer; install one, or name it: PYTHON=/path/to/python3 $0"
}

make_venv() {
  local python
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv"
  say "making $VENV with $("$python" --version)"
  "$python" -m venv "$VENV" || fail "$VENV could not be made; remove it and start again"
}

venv_works() {
  is_recent "$VENV_PYTHON" && "$VENV_PYTHON" -c 'import pip' 2>/dev/null
}

# An environment that is there may be somebody's work: it is used or refused, never replaced.
ensure_venv() {
  [[ -e $VENV ]] || make_venv
  venv_works ||
    fail "$VENV is there, but without pip or without Python 3.11 or newer; move it away and start again"
}

# install_into_venv NAME EXTRAS [CONSTRAINTS_FILE]
# NAME tells apart the stamps of those who want different extras.
install_into_venv() {
  local name=$1 extras=$2 constraints=${3:-} wanted
  ensure_venv
  wanted=$(what_is_wanted "$extras" "$constraints")
  if [[ "$wanted" == "$(cat "$VENV/installed-$name" 2>/dev/null)" ]]; then
    return
  fi
  say "installing [$extras] into $VENV; takes minutes, and only now (log: $INSTALL_LOG)"
  "$VENV_PYTHON" -m pip install --editable ".[$extras]" \
    ${constraints:+--constraint "$constraints"} >"$INSTALL_LOG" 2>&1 ||
    fail "installing failed: $(why_pip_failed) (log: $INSTALL_LOG; for another Python, remove $VENV and set PYTHON)"
  echo "$wanted" >"$VENV/installed-$name"
}

# The place counts too: the scripts in an environment that was moved start nothing.
what_is_wanted() {
  {
    echo "$PWD" "$1"
    "$VENV_PYTHON" -VV
    cat pyproject.toml hatch_build.py src/seedproof/trace/ml64.c ${2:+"$2"}
  } | cksum
}

why_pip_failed() {
  grep -m 1 '^ERROR' "$INSTALL_LOG" || tail -n 1 "$INSTALL_LOG"
}
