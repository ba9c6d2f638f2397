#!/bin/sh
# Bring databases, tables and accounts to what this version needs; at every start, so that an update is one, too.
set -eu
alertdb init
mariadb --no-defaults --socket=/run/alertdb/mariadbd.sock --user=alertdb </opt/alertdb/containers/only_by_socket.sql
