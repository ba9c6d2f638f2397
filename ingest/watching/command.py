"""The command `alertdb watch`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["watch"]


def watch(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders into which tarballs are put.")],
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.05)] = 10.0,
    settle: Annotated[
        float, typer.Option(help="Load a tarball when it has not changed for so many seconds.", min=0.0)
    ] = 60.0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many tarballs to load at once (default: as many as cores, if worth it)."),
    ] = None,
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Load what is whole of a damaged tarball; the ledger says so.")
    ] = False,
) -> None:
    """Load tarballs as they appear in folders. Runs until it is stopped.

    It loads as 'alertdb ingest' does, in the order of names. A copy that is still being written is waited for; names
    that begin with a dot or end in .part are left alone. A tarball that cannot be loaded, such as a damaged one, is
    reported, shown by 'alertdb status', and tried again when the file changes. A database that goes away is waited
    for. Single packets (.avro) are not taken.

    Examples
    --------
      alertdb watch /data/incoming

      alertdb watch /data/public /data/partnership --every 60 --settle 300
    """
    from alertdb.config import load_config
    from ingest.session import Options
    from ingest.watching.watcher import Pace
    from ingest.watching.watcher import watch as run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    run(load_config(), folders, Pace(every, settle), Options(allow_damaged=allow_damaged), workers)
