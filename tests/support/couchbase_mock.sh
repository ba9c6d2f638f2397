#!/usr/bin/env bash
# Fetch Couchbase's test server and what its tests need: Java, OpenSSL, and Maven to fetch it with, from Debian where the
# machine has none. A second run finds everything done. tests/support/couchbase_server.py starts the server.
set -euo pipefail

readonly VERSION=1.5.27
readonly SHA256=69aad2c1b3e538120bc89425682f27facfb219094645906a63c411b2c46a8b9c
readonly JAR=${XDG_CACHE_HOME:-$HOME/.cache}/alertdb/CouchbaseMock-$VERSION.jar

say() { printf 'couchbase_mock: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null; }

sound() { echo "$SHA256  $1" | sha256sum --check --status 2>/dev/null; }

# install PACKAGE…: from Debian, as root, unattended
install() {
    local root=()
    has apt-get || fail "missing: $*; install it, then run this again"
    [ $EUID -eq 0 ] || root=(sudo -n)
    say "Debian packages: $*"
    local command=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends
        -o DPkg::Lock::Timeout=600)
    { "${command[@]}" install "$@" || { "${command[@]}" update && "${command[@]}" install "$@"; }; } >"$log" 2>&1 ||
        fail "not installed: $*: $(tail -n 1 "$log")"
}

maven() {
    mvn --batch-mode --quiet -Dstyle.color=never "dependency:$1" "${@:2}" >"$log" 2>&1 ||
        fail "not fetched: $(grep -m 1 ERROR "$log")"
}

fetch() {
    local coordinates=com.couchbase.mock:CouchbaseMock:$VERSION
    say "CouchbaseMock $VERSION"
    maven get -Dtransitive=false -Dartifact="$coordinates"
    maven copy -Dartifact="$coordinates" -DoutputDirectory="$work"
    sound "$work/${JAR##*/}" || fail "the CouchbaseMock that came is not the one that is pinned (SHA-256)"
    mkdir -p "${JAR%/*}"
    mv "$work/${JAR##*/}" "$JAR.new.$$" && mv "$JAR.new.$$" "$JAR"
}

main() {
    local missing=()
    has java || missing+=(default-jre-headless)
    has openssl || missing+=(openssl) # certificates of the tests
    sound "$JAR" || has mvn || missing+=(maven)
    work=$(mktemp -d) && log=$work/log
    trap 'rm -rf "$work"' EXIT
    [ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
    sound "$JAR" || fetch
}

main
