"""Ways to read a million rows of four columns: wall time, and CPU time of this process and of the server.

    python benchmarks/query_ways.py HOME [--rows N]

HOME is the home of an archive whose private server is stopped, such as `benchmarks/query.py --keep FOLDER` leaves in
FOLDER/home. ConnectorX is no dependency: it is measured where it is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import statistics
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mariadb
import pandas as pd

from alertdb.archive import Archive
from alertdb.config import Config
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 5
POOL = ("innodb_buffer_pool_size=4G", "innodb_log_file_size=1G")


def main() -> None:
    """Measure all ways in turn and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    config = Config(home=options.home.absolute(), server_options=POOL)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    try:
        with Archive(config) as archive, contextlib.closing(plain_connection(config)) as connection:
            statement = f"SELECT objectId, jd, fid, magpsf FROM alerts LIMIT {options.rows}"
            measure(ways(archive, connection, connectorx_url(config), statement), server.pid())
    finally:
        server.ensure_stopped()


def plain_connection(config: Config) -> Any:
    """Open a connection of the driver."""
    password = (config.secrets / "reader").read_text().strip()
    socket = str(PrivateServer(config.home).socket)
    return mariadb.connect(unix_socket=socket, user="alertdb_reader", password=password, database="ztf")


def connectorx_url(config: Config) -> str:
    """Return the URL as ConnectorX wants it."""
    password = (config.secrets / "reader").read_text().strip()
    return f"mysql://alertdb_reader:{password}@localhost/ztf?socket={PrivateServer(config.home).socket}"


def ways(archive: Archive, connection: Any, url: str, statement: str) -> dict[str, Callable[[], object]]:
    """Return what is compared."""

    def binary_cursor() -> pd.DataFrame:
        with connection.cursor(binary=True, buffered=True) as cursor:
            cursor.execute(statement)
            return pd.DataFrame(cursor.fetchall())

    found: dict[str, Callable[[], object]] = {
        "pandas.read_sql": lambda: pd.read_sql(statement, connection),
        "binary cursor, frame": binary_cursor,
        "ours, Arrow": lambda: archive.query(statement).arrow(),
        "ours, frame": lambda: archive.sql(statement),
        "scan of all rows": lambda: archive.sql("SELECT COUNT(objectId), SUM(jd), SUM(fid), SUM(magpsf) FROM alerts"),
    }
    if find_spec("connectorx"):
        connectorx = import_module("connectorx")
        found["ConnectorX, Arrow"] = lambda: connectorx.read_sql(url, statement, return_type="arrow")
    return found


def measure(compared: dict[str, Callable[[], object]], server: int | None) -> None:
    """Run all ways in turn, once uncounted, and print medians in seconds."""
    times: dict[str, list[tuple[float, ...]]] = {name: [] for name in compared}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
        for _ in range(REPEATS + 1):
            for name, way in compared.items():
                before = time.perf_counter(), own_cpu(), server_cpu(server)
                way()
                after = time.perf_counter(), own_cpu(), server_cpu(server)
                times[name].append(tuple(b - a for a, b in zip(before, after, strict=True)))
    print(f"{'seconds':22}{'wall':>8}{'own CPU':>10}{'server CPU':>12}")
    for name, counted in times.items():
        wall, own, theirs = (statistics.median(column) for column in zip(*counted[1:], strict=True))
        print(f"{name:22}{wall:8.2f}{own:10.2f}{theirs:12.2f}")


def own_cpu() -> float:
    """CPU time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def server_cpu(number: int | None) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main()
