#!/bin/sh
# Make the folders of the archive on the machine, each for the account that writes there, and hand the hub its secrets.
# The only thing here that runs as root; it reaches no network.  prepare.sh folders|secrets
set -eu
cd /data
archive=990 hub=991 users=1000

folder() { install -d -m "$2" -o "$1" -g "${4:-$1}" "$3"; } # folder OWNER MODE PATH [GROUP]

folders() {
    folder $archive 700 mariadb
    folder $archive 700 archive
    folder $archive 755 archive/thumbnails
    folder $archive 755 archive/thumbnails/public
    # Members of the partnership get this folder into their containers, where they are in the group of users.
    folder $archive 750 archive/thumbnails/partnership $users
    folder $archive 700 /backups
    for kind in tarballs exports; do
        folder $archive 755 $kind
        folder $archive 755 $kind/public
        folder $archive 750 $kind/partnership $users
    done
    folder $archive 755 notebooks
    folder $hub 700 hub
    folder $hub 700 hub/archive
    folder $hub 700 hub/archive/secrets
    cp /opt/alertdb/notebooks/* notebooks/
}

secrets() {
    install -m 400 -o $hub -g $hub archive/secrets/hub hub/archive/secrets/hub
    install -m 400 -o $hub -g $hub /run/secrets/github_client_secret hub/github_client_secret
}

"$1"
