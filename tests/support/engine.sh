#!/usr/bin/env bash
# A Docker engine for the tests of containers:  engine.sh start | stop
# `start` takes the one that runs. If there is none it installs Debian's and starts it (as root), with all it keeps under
# build/engine, and sees to it that there is a base image. It prints the engine's address; `stop` ends what `start` began.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$PWD/build/engine
base=debian:bookworm-slim

say() { printf 'engine: %s\n' "$*" >&2; }
fail() { say "$*" && exit 1; }
has() { command -v "$1" >/dev/null; }
answers() { docker info >/dev/null 2>&1; }

# Packages are installed quietly; what they said is shown if one fails.
install() {
    local log=$folder/install.log
    say "Debian packages: $*"
    { apt-get install -y --no-install-recommends "$@" ||
        { apt-get update && apt-get install -y --no-install-recommends "$@"; }; } >"$log" 2>&1 </dev/null ||
        { tail -n 20 "$log" >&2 && fail "failed: apt-get install $*"; }
}

ensure_programs() {
    local wanted=() program
    for program in dockerd:docker.io docker-compose:docker-compose iptables:iptables; do
        has "${program%:*}" || wanted+=("${program#*:}")
    done
    [ ${#wanted[@]} -eq 0 ] && return
    if [ $EUID -ne 0 ] || ! has apt-get; then
        fail "no Docker engine answers; start one, or run this as root on Debian"
    fi
    install "${wanted[@]}"
}

# Without systemd the engine is a process like any other. Its containers' processes are its children's children.
launch() {
    say "starting dockerd, its images in $folder"
    mkdir -p "$folder"
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/run" --pidfile "$folder/dockerd.pid" \
        --host "unix://$folder/docker.sock" >"$folder/dockerd.log" 2>&1 </dev/null &
    local waited
    for waited in $(seq 60); do
        answers && return
        sleep 1
    done
    tail -n 5 "$folder/dockerd.log" >&2
    fail "dockerd does not answer after $waited s; see $folder/dockerd.log"
}

# From the registry; where none is reached, from Debian's own packages, as the registry's image is made.
ensure_base() {
    docker image inspect $base >/dev/null 2>&1 && return
    timeout 120 docker pull -q $base >/dev/null 2>&1 && return
    has debootstrap || install debootstrap
    say "no registry: making $base with debootstrap"
    local root=$folder/base
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$folder/base.log" ||
        fail "failed: debootstrap; see $folder/base.log"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    {
        echo "deb http://deb.debian.org/debian bookworm main"
        echo "deb http://deb.debian.org/debian bookworm-updates main"
        echo "deb http://deb.debian.org/debian-security bookworm-security main"
    } >"$root/etc/apt/sources.list"
    tar -C "$root" -c . | docker import -c 'CMD ["bash"]' - $base >/dev/null
    rm -rf "$root"
}

start() {
    mkdir -p "$folder"
    if ! { has docker && answers; }; then
        ensure_programs
        export DOCKER_HOST=unix://$folder/docker.sock
        answers || launch
    fi
    ensure_base
    echo "${DOCKER_HOST:-unix:///var/run/docker.sock}"
}

stop() {
    local pid
    pid=$(cat "$folder/dockerd.pid" 2>/dev/null) || return 0
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
    kill "$pid"
    tail --pid="$pid" -f /dev/null
    umount "$folder/run/netns/default" 2>/dev/null || true
    ip link delete docker0 2>/dev/null || true
}

case ${1:-} in
    start | stop) "$1" ;;
    *) fail "usage: engine.sh start|stop" ;;
esac
