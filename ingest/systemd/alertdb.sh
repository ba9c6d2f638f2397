#!/bin/sh
# The program `alertdb` with the account and the settings of the units: install -m 755 alertdb.sh /usr/local/bin/alertdb
set -ae
. /etc/alertdb/alertdb.env
set +a
program=/opt/alertdb/.venv/bin/alertdb
[ "$(id -un)" != root ] || exec runuser -u alertdb -- "$program" "$@"
exec "$program" "$@"
