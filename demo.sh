#!/usr/bin/env bash
# From nothing to a running archive: ./demo.sh [TARBALL|FOLDER …]
# With nothing given it simulates two nights. The archive is kept in $ALERTDB_HOME, by default var/ beside this file.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() { sed -n '2,3s/^# //p' "$checkout/demo.sh"; }

wrong() { # one line, and the exit code for wrong usage
    printf 'demo: %s\n' "$*" >&2
    exit 2
}

section() { printf '\n%s\n%s\n' "$1" "${1//?/=}"; }

# Show a command as one would type it, then run it.
run() {
    local word line='$ alertdb'
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./=-]*) line+=" \"$word\"" ;;
            *) line+=" $word" ;;
        esac
    done
    printf '\n%s\n' "$line"
    alertdb "$@"
}

# The first value of a query's first row.
value() { alertdb sql "$1" --format csv | tail -n +2 | head -n 1 | cut -d, -f1 | tr -d '"'; }

inputs=()
read_arguments() {
    local path
    for path in "$@"; do
        case $path in
            -h | --help) usage && exit ;;
            -*) wrong "no option $path; usage: ./demo.sh [TARBALL|FOLDER …]" ;;
        esac
        [ -e "$path" ] || wrong "no such file or folder: $path"
        inputs+=("$(realpath -- "$path")")
    done
}

# Simulated nights go into an empty archive only: one that holds real alerts is shown as it is.
choose_inputs() {
    local simulated=$ALERTDB_HOME/simulated nights=(20240101 20240102) alerts_per_night=2500
    if [ ${#inputs[@]} -gt 0 ]; then return; fi
    if [ ! -e "$simulated" ] && [ "$(value 'SELECT COUNT(*) FROM tarballs')" -gt 0 ]; then return; fi
    if [ ! -e "$simulated/ztf_public_${nights[-1]}.tar.gz" ]; then
        run simulate "${nights[@]/#/--night=}" --alerts $alerts_per_night --output "$simulated"
    fi
    inputs=("$simulated")
}

fill() {
    section "The archive in $ALERTDB_HOME"
    run init
    run start
    choose_inputs
    if [ ${#inputs[@]} -gt 0 ]; then run ingest "${inputs[@]}"; fi
    run status
    run nights
}

show() {
    local pictures=$ALERTDB_HOME/pictures object
    mkdir -p "$pictures"
    section "SQL: the objects with most alerts"
    run sql "SELECT objectId, nobs, nnights, magmin_g, magmin_r, ra_mean, dec_mean FROM summary ORDER BY nobs DESC, objectId LIMIT 5"
    object=$(value "SELECT objectId FROM summary ORDER BY nobs DESC, objectId LIMIT 1")
    [ -n "$object" ] || object=$(value "SELECT objectId FROM alerts ORDER BY objectId LIMIT 1")
    section "The light curve of $object and its thumbnails"
    run lightcurve "$object"
    run lightcurve "$object" --plot "$pictures/$object.png"
    run thumbnails --object "$object" --sheet "$pictures/${object}_thumbnails.png"
    say_what_next "$object"
}

say_what_next() {
    section "What to type next"
    [ "$ALERTDB_HOME" = "$checkout/var" ] || printf 'export ALERTDB_HOME=%q\n' "$ALERTDB_HOME"
    cat <<NEXT
source $(printf %q "$checkout")/.venv/bin/activate
alertdb ingest FOLDER_WITH_YOUR_TARBALLS
alertdb sql 'SELECT fid, COUNT(*), MIN(magpsf) FROM alerts GROUP BY fid'
alertdb lightcurve $1 --format csv --output $1.csv
alertdb --help
alertdb stop
NEXT
}

read_arguments "$@"
ALERTDB_HOME=$(realpath -m -- "${ALERTDB_HOME:-$checkout/var}")
export ALERTDB_HOME PATH=$checkout/.venv/bin:$PATH
"$checkout/setup.sh"
fill
show
