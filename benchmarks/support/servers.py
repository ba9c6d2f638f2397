"""Private servers for as long as something is measured, and the CPU time they take."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Config]:
    """Run a server with these options of mariadbd, its tables made; yield its settings."""
    config = Config(home=home, server_options=options)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    try:
        ensure_schema(config)
        yield config
    finally:
        server.ensure_stopped()


def server_pid(config: Config) -> int | None:
    """Process id of the server."""
    return PrivateServer(config.home).pid()


def cpu_seconds(pid: int | None) -> float:
    """CPU time, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
