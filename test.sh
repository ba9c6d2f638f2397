#!/usr/bin/env bash
# Set up, then check style and types and run all tests. With arguments, only pytest, with these: ./test.sh tests/unit -k night
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./setup.sh --hub
./setup.sh --browser || echo "test: without a browser, the tests of the hub's pages are skipped" >&2
export PATH=$PWD/.venv/bin:$PATH
if [ $# -eq 0 ]; then
    ruff check --quiet
    ruff format --check --quiet
    mypy
fi
tests/support/couchbase_mock.sh || true # without it the tests that need it say so, or fail if they are required
exec python -m pytest "$@"
