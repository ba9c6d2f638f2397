#!/bin/sh
# Become the hub. A proxy of the last container is gone with it; its number may be somebody else's now.
set -eu
rm -f "$ALERTDB_HUB_STATE/proxy.pid"
exec jupyterhub -f /opt/alertdb/jupyterhub/jupyterhub_config.py
