"""Ways to read a million rows of four columns: wall time, and CPU time of this process and of the server.

All ways take turns on the archive of `benchmarks/query.py`, which is made in a folder that goes away, or found in the
one of --keep; the medians count, in seconds.

- `read_sql`: pandas over the driver
- `binary_cursor`: the driver's cursor for the binary protocol, put into a frame
- `arrow`, `frame`: ours
- `scan`: the server adds up the four columns of all alerts, and sends nothing
- `connectorx`: ConnectorX, which is no dependency, where it is installed

Examples
--------
    python benchmarks/query_ways.py --quick
    python benchmarks/query_ways.py --keep /fast/disk/archive --json query_ways.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import contextlib
import resource
import statistics
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd

from alertdb.archive import Archive
from alertdb.server import PrivateServer
from benchmarks.support.made_archive import QUICK_ROWS, ROWS, made_archive, plain_connection, reader_password
from benchmarks.support.program import Program
from benchmarks.support.servers import cpu_seconds, server_pid

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from alertdb.config import Config
    from benchmarks.support.program import Figures

REPEATS = 5


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_keep()
    program.add_size("rows", ROWS, QUICK_ROWS, help="how many rows are read")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Measure all ways on the archive."""
    statement = f"SELECT objectId, jd, fid, magpsf FROM alerts LIMIT {options.rows}"
    with (
        made_archive(folder, options) as config,
        Archive(config) as archive,
        contextlib.closing(plain_connection(config)) as connection,
    ):
        compared = ways(archive, connection, connectorx_url(config), statement)
        return {"rows": options.rows, **take_turns(compared, server_pid(config))}


def connectorx_url(config: Config) -> str:
    """Return the URL as ConnectorX wants it."""
    socket = PrivateServer(config.home).socket
    return f"mysql://alertdb_reader:{reader_password(config)}@localhost/ztf?socket={socket}"


def ways(archive: Archive, connection: Any, url: str, statement: str) -> dict[str, Callable[[], object]]:
    """Return what is compared."""

    def binary_cursor() -> pd.DataFrame:
        with connection.cursor(binary=True, buffered=True) as cursor:
            cursor.execute(statement)
            return pd.DataFrame(cursor.fetchall())

    found: dict[str, Callable[[], object]] = {
        "read_sql": lambda: pd.read_sql(statement, connection),
        "binary_cursor": binary_cursor,
        "arrow": lambda: archive.query(statement).arrow(),
        "frame": lambda: archive.sql(statement),
        "scan": lambda: archive.sql("SELECT COUNT(objectId), SUM(jd), SUM(fid), SUM(magpsf) FROM alerts"),
    }
    if find_spec("connectorx"):
        connectorx = import_module("connectorx")
        found["connectorx"] = lambda: connectorx.read_sql(url, statement, return_type="arrow")
    return found


def take_turns(compared: dict[str, Callable[[], object]], server: int | None) -> Figures:
    """Run all ways in turn, once uncounted; return medians in seconds."""
    times: dict[str, list[tuple[float, ...]]] = {name: [] for name in compared}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
        for _ in range(REPEATS + 1):
            for name, way in compared.items():
                before = time.perf_counter(), own_cpu(), cpu_seconds(server)
                way()
                after = time.perf_counter(), own_cpu(), cpu_seconds(server)
                times[name].append(tuple(b - a for a, b in zip(before, after, strict=True)))
    figures: Figures = {}
    for name, counted in times.items():
        for kind, column in zip(("wall", "own_cpu", "server_cpu"), zip(*counted[1:], strict=True), strict=True):
            figures[f"{name}_{kind}_s"] = statistics.median(column)
    return figures


def own_cpu() -> float:
    """CPU time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
