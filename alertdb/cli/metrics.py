"""The command that serves numbers to watch over an archive."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(metrics)


def metrics(
    listen: Annotated[str, typer.Option(help="Where to listen; port 0 is any that is free.", metavar="HOST:PORT")] = (
        "127.0.0.1:9170"
    ),
) -> None:
    """Serve metrics of the archive for Prometheus: server, ledger, tables, disks, watched folders, backups.

    Runs until it is stopped. It reads as the archive's reader and asks nothing that reads alerts. While the server is
    away alertdb_up is 0. Whoever reaches the address can read the numbers: leave it on the loopback, or guard it.

    Example: alertdb metrics --listen 127.0.0.1:9170
    """
    from alertdb.config import load_config
    from alertdb.metrics.serving import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    serve(load_config(), listen)
