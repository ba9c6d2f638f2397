#!/usr/bin/env bash
# Install what alertdb needs: MariaDB's programs and a compiler by apt, Python packages into .venv.
# Takes Debian 12 with nothing but a shell; what is there already stays, and a second run installs nothing.
#   --hub      also JupyterHub with its proxy, and JupyterLab for 'alertdb lab'
#   --browser  also a browser, for the tests of the hub's pages
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

PATH=$PATH:/usr/local/sbin:/usr/sbin # mariadbd is there, and not every user's PATH has it
log=$PWD/build/setup.log

say() { printf 'setup: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

# attempt WHAT COMMAND…: run it, its output into the log; one line says when it failed.
attempt() {
    say "$1"
    mkdir -p "${log%/*}" || fail "cannot write to $PWD"
    "${@:2}" >>"$log" 2>&1 </dev/null || fail "failed: $1; see $log"
}

has() { command -v "$1" >/dev/null; }

# --- Debian packages ---

# The servers' programs alone: the package mariadb-server would also start a server of the system's own.
missing_programs() {
    has mariadbd && has mariadb-install-db || echo mariadb-server-core
    has my_print_defaults || echo mariadb-client-core # mariadb-install-db calls it
    has mariadb-backup || echo mariadb-backup         # 'alertdb backup' calls it
}

# What is needed once, to make .venv: MariaDB's connector for Python is compiled here.
missing_build_tools() {
    has gcc || echo gcc
    gcc -E -include stdio.h - >/dev/null 2>&1 </dev/null || echo libc6-dev
    has mariadb_config || echo libmariadb-dev
    usable_python >/dev/null || echo python3 python3-venv python3-dev
    [ -e /etc/ssl/certs/ca-certificates.crt ] || ! has apt-get || echo ca-certificates
}

ensure_packages() {
    [ $# -gt 0 ] || return 0
    local install="apt-get install -y --no-install-recommends $*"
    has apt-get || fail "missing: what Debian has in the packages $*; install it, then run this again"
    may_become_root || fail "missing programs; run as root, then start this again: apt-get update && $install"
    attempt "Debian packages: $*" install_packages "$@"
}

may_become_root() {
    [ $EUID -eq 0 ] && return
    has sudo || return 1
    sudo -n true 2>/dev/null || { [ -t 0 ] && id -nG | grep -qwE 'sudo|admin|wheel'; }
}

# A fresh machine has no package lists, an old one stale lists: either way the first attempt fails.
install_packages() { apt_get install "$@" || { apt_get update && apt_get install "$@"; }; }

apt_get() {
    local settings=(DEBIAN_FRONTEND=noninteractive) name
    for name in http_proxy https_proxy no_proxy; do # sudo would drop them
        [ -z "${!name:-}" ] || settings+=("$name=${!name}")
    done
    local command=(env "${settings[@]}" apt-get -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@")
    if [ $EUID -eq 0 ]; then "${command[@]}"; else sudo "${command[@]}"; fi
}

# Python's processes keep their locks there. A chroot has the folder without the mount, for root alone.
check_shared_memory() {
    [ ! -e /dev/shm ] || [ -w /dev/shm ] ||
        fail "cannot write to /dev/shm; run as root, then start this again: mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
}

# A server that root starts runs as this user, whom the package mariadb-server would have made.
ensure_server_user() {
    [ $EUID -ne 0 ] || getent passwd mysql >/dev/null ||
        useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin mysql
}

# --- Python packages ---

# The first Python that can make .venv and compile extensions.
usable_python() {
    local python
    for python in python3 /usr/bin/python3; do
        has "$python" && "$python" -c "$USABLE" 2>/dev/null && echo "$python" && return
    done
    return 1
}

USABLE='
import ensurepip, pathlib, sys, sysconfig, venv
header = pathlib.Path(sysconfig.get_path("include"), "Python.h")
sys.exit(sys.version_info < (3, 11) or not header.exists())
'

# finished STEP FILE…: whether this step was completed here, with this Python and these files.
finished() { [ "$(fingerprint "${@:2}")" = "$(cat ".venv/$1.finished" 2>/dev/null)" ]; }
finish() { fingerprint "${@:2}" >".venv/$1.finished"; }
fingerprint() { { pwd && .venv/bin/python -V && cat "$@"; } 2>&1 | sha256sum; }

pip_install() { .venv/bin/python -m pip install --no-build-isolation "$@"; }

# First what builds the connector, from the same list: nothing is used that is not pinned.
install_requirements() {
    local builders
    mapfile -t builders < <(grep -oE '^(setuptools|packaging)==[^ ]+' requirements.txt)
    pip_install "${builders[@]}" && pip_install -r requirements.txt
}

make_venv() {
    local python
    python=$(usable_python) || fail "Python 3.11 or later is needed; found $(python3 -V 2>&1)"
    attempt "a new .venv with $("$python" -V)" "$python" -m venv --clear .venv
    attempt "Python packages (a minute or two)" install_requirements
    finish requirements requirements.txt
}

install_package() {
    attempt "alertdb itself" pip_install --no-deps -e .
    finish package pyproject.toml
}

# Importing them compiles them, once; else the first night that is loaded, or the first question, would wait for that.
compile_kernels() {
    attempt "the decoder and the reader, compiled" .venv/bin/python -c 'import ingest.decoding.columnar, ingest.pipeline, alertdb.wire.kernel'
    attempt "the modules, compiled" .venv/bin/python -m compileall -q alertdb ingest # for who sets PYTHONDONTWRITEBYTECODE
    finish kernels ingest/*.py ingest/decoding/*.py alertdb/wire/*.py
}

# --- The hub, and the browser that its tests look at it with ---

# The proxy is a program for node; both come pinned, since the node of Debian 12 is too old for it.
install_hub() {
    attempt "JupyterHub and JupyterLab (a minute)" pip_install -r requirements-hub.txt
    attempt "the hub's proxy" env PATH="$PWD/.venv/bin:$PATH" npm ci --prefix jupyterhub/proxy \
        --ignore-scripts --no-audit --no-fund --no-update-notifier
    finish hub "${hub_files[@]}"
}
hub_files=(requirements-hub.txt jupyterhub/proxy/package-lock.json)

ensure_hub() {
    if ! finished hub "${hub_files[@]}" || ! [ -d jupyterhub/proxy/node_modules ]; then install_hub; fi
}

ensure_browser() {
    has chromium || ensure_packages chromium fonts-dejavu-core
    finished browser requirements-browser.txt && return
    attempt "what drives the browser" pip_install -r requirements-browser.txt
    finish browser requirements-browser.txt
}

main() {
    local missing option
    for option in "$@"; do
        case $option in
            --hub | --browser) ;;
            *) fail "no option $option; there are --hub and --browser" ;;
        esac
    done
    check_shared_memory
    missing=$(missing_programs)
    finished requirements requirements.txt || missing+=" $(missing_build_tools)"
    # shellcheck disable=SC2086 # several words
    ensure_packages $missing
    ensure_server_user
    finished requirements requirements.txt || make_venv
    finished package pyproject.toml || install_package
    finished kernels ingest/*.py ingest/decoding/*.py alertdb/wire/*.py || compile_kernels
    for option in "$@"; do "ensure_${option#--}"; done
}

exec 9<pyproject.toml # two runs at once: the second waits, then finds everything done
flock --nonblock 9 || { say "waiting for another run of it" && flock 9; }
main "$@"
