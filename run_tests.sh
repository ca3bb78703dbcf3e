#!/usr/bin/env bash
# Lints, checks types and tests. `--all` first includes the tests marked slow; the rest goes to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source env/setup.sh

tests="not slow"
if [[ "${1:-}" == --all ]]; then
  tests="slow or not slow"
  shift
fi

install_into_venv tests "$(tensorflow_extra),torch,jax,experiment,dev" env/constraints-test.txt
"$VENV_PYTHON" -m ruff check .
"$VENV_PYTHON" -m ruff format --check .
"$VENV_PYTHON" -m mypy
exec "$VENV_PYTHON" -m pytest -m "$tests" "$@"
