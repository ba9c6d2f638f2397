#!/usr/bin/env bash
# Set up, then check style and types and run all tests but those of containers. With arguments, only pytest, with these:
#   ./test.sh tests/unit -k night
#   ./test.sh --containers    builds all images and runs the whole in containers (as root; it starts a Docker engine)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The site's certificates go into the images, as they are used outside.
test_containers() {
    local certificates=${PIP_CERT:-${SSL_CERT_FILE:-}}
    [ -z "$certificates" ] || cp "$certificates" containers/certificates/of_this_machine.crt
    trap tests/support/engine.sh\ stop EXIT
    DOCKER_HOST=$(tests/support/engine.sh start)
    export DOCKER_HOST
    python -m pytest tests/containers "$@"
}

./setup.sh --hub
./setup.sh --browser || echo "test: without a browser, the tests of the hub's pages are skipped" >&2
export PATH=$PWD/.venv/bin:$PATH
if [ "${1:-}" = --containers ]; then
    test_containers "${@:2}"
    exit
fi
if [ $# -eq 0 ]; then
    ruff check --quiet
    ruff format --check --quiet
    mypy
    set -- --ignore=tests/containers
fi
tests/support/couchbase_mock.sh || true # without it the tests that need it say so, or fail if they are required
exec python -m pytest "$@"
