#!/usr/bin/env bash
# Trains the reference experiment with and without the options and evaluates it: `seedproof demo`.
# Needs Python 3.11 or newer with pip; everything else goes into .venv. Arguments go to demo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source env/setup.sh

install_into_venv demo "$(tensorflow_extra),experiment"
exec .venv/bin/seedproof demo "$@"
