#!/bin/sh
# Run a command with the compiled parts of alertdb at hand. numba uses a cache only where it may also write, and the
# image's file system is read-only: a copy in /tmp will do. Without it, each process would compile for half a minute.
cp -r /opt/alertdb/kernels "$NUMBA_CACHE_DIR" 2>/dev/null || true # it is there already, or /tmp is full
exec "$@"
