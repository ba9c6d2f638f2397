"""The archive that questions are asked of: made in a process of its own, kept if that is wanted, and served."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mariadb

from alertdb.config import Config
from alertdb.server import PrivateServer
from benchmarks.support.program import ROOT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from pathlib import Path

ALERTS, DOCUMENTS, ROWS = 2_000_000, 60_000, 1_000_000
QUICK_ALERTS, QUICK_DOCUMENTS, QUICK_ROWS = 100_000, 2_000, 50_000
POOL = ("innodb_buffer_pool_size=4G", "innodb_log_file_size=1G")


@contextmanager
def made_archive(folder: Path, options: Namespace) -> Iterator[Config]:
    """Run the server of the archive that is kept, or of one in a folder that goes away; make it unless it is there."""
    place = options.keep or folder
    made = place / "made"
    config = Config(home=place / "home", server_options=POOL)
    server = PrivateServer(config.home, config.server_options)
    try:
        if not made.exists():
            program = (sys.executable, "-m", "benchmarks.support.archive_maker")
            size = (QUICK_ALERTS, QUICK_DOCUMENTS) if options.quick else (ALERTS, DOCUMENTS)
            subprocess.run([*program, str(place), *map(str, size)], check=True, cwd=ROOT)
            made.touch()
        server.ensure_started()
        yield config
    finally:
        server.ensure_stopped()


def plain_connection(config: Config) -> Any:
    """Open a connection as one does without this library."""
    socket = str(PrivateServer(config.home).socket)
    return mariadb.connect(unix_socket=socket, user="alertdb_reader", password=reader_password(config), database="ztf")


def reader_password(config: Config) -> str:
    """Return the password of the account that reads."""
    return (config.secrets / "reader").read_text().strip()
