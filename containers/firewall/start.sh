#!/bin/sh
# Put the rules up, look after them once a minute, and take them down at the end.
set -eu
trap 'exit 0' TERM INT
trap 'nft delete table inet alertdb_users' EXIT
while :; do
    nft --define "users=$USERS_BRIDGE" --define "gateway=$USERS_GATEWAY" --define "hub=$HUB_PORT" \
        --file /build/firewall/users.nft
    sleep 60 &
    wait $!
done
