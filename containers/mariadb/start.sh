#!/bin/sh
# Make the data folder, once, and become the server. Arguments are further options of mariadbd.
set -eu
folder=/var/lib/alertdb
[ -d "$folder/tmp" ] || mkdir -m 700 "$folder/tmp"
export TMPDIR="$folder/tmp" # the image's own /tmp is small and in memory

if ! [ -d "$folder/data" ]; then
    rm -rf "$folder/unfinished" # of a first start that was interrupted
    # The administrator, alertdb@localhost, has no password: the server asks the system who is at the socket's other end.
    mariadb-install-db --no-defaults --datadir="$folder/unfinished" --skip-test-db --force \
        --auth-root-authentication-method=socket --auth-root-socket-user=alertdb >/dev/null
    mv "$folder/unfinished" "$folder/data"
fi
exec mariadbd --defaults-file=/etc/alertdb/nvme.cnf --datadir="$folder/data" \
    --socket=/run/alertdb/mariadbd.sock --pid-file="$folder/mariadbd.pid" "$@"
