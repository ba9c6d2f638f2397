"""What each line of the server's settings brings.

For each line of ``sql/settings/private.cnf`` and ``nvme.cnf`` that is there for speed, two servers are run in turns:
one with the line, one with MariaDB's own default in its place, all else as in private.cnf. Measured are the loading of
simulated tarballs, the rebuilding of the summary, and the light curves of many objects in one query. What is told is
the time without the line over the time with it: above 1, the line helps. The median of several rounds counts; the
spread of the same server against itself (`noise`) says what is no difference.

Lines of nvme.cnf are tried at a size that two cores and some GB of memory can give.

Examples
--------
    python benchmarks/settings.py --quick
    python benchmarks/settings.py --alerts 8000 --rounds 2 --json settings.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import os
import statistics
import tempfile
import time
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.schema import public_database
from benchmarks.support.program import Program
from benchmarks.support.servers import serving
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from argparse import Namespace

    from alertdb.config import Config
    from benchmarks.support.program import Figures

OBJECTS = 3_000  # whose light curves are asked for in one query

# Each line for speed, and what MariaDB 10.11 would do without it.
LINES: dict[str, dict[str, tuple[str, str]]] = {
    "private.cnf": {
        "innodb_buffer_pool_size": ("innodb_buffer_pool_size=512M", "innodb_buffer_pool_size=128M"),
        "innodb_log_file_size": ("innodb_log_file_size=256M", "innodb_log_file_size=96M"),
        "tmp_table_size": ("tmp_table_size=64M", "tmp_table_size=16M"),
        "max_heap_table_size": ("max_heap_table_size=64M", "max_heap_table_size=16M"),
    },
    "nvme.cnf": {
        "skip_log_bin": ("skip_log_bin", "log_bin=binlog"),
        "innodb_buffer_pool_size": ("innodb_buffer_pool_size=4G", "innodb_buffer_pool_size=128M"),
        "innodb_log_file_size": ("innodb_log_file_size=1G", "innodb_log_file_size=96M"),
        "innodb_io_capacity": ("innodb_io_capacity=10000", "innodb_io_capacity=200"),
        "innodb_io_capacity_max": ("innodb_io_capacity_max=40000", "innodb_io_capacity_max=2000"),
        "aria_pagecache_buffer_size": ("aria_pagecache_buffer_size=512M", "aria_pagecache_buffer_size=128M"),
    },
}
WORK = ("load", "rebuild", "lightcurves")


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 20_000, 2_000, help="alerts in each of the two tarballs")
    program.add_size("rounds", 3, 1, help="turns of each server")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Compare all lines; figures by file, line and kind of work."""
    tarballs = simulate_nights([20240110, 20240111], options.alerts, folder / "nights", seed=3)
    pairs = {"noise": ((), ())} | {
        f"{file}_{line}": ((ours,), (default,))
        for file, lines in LINES.items()
        for line, (ours, default) in lines.items()
    }
    figures: Figures = {"alerts": options.alerts, "cores": os.cpu_count() or 0}
    for number, (name, (ours, other)) in enumerate(pairs.items(), start=1):
        print(f"{number} of {len(pairs)}: {name}", flush=True)
        ratios = compare(folder, tarballs, options.rounds, ours, other)
        figures |= {f"{name}_{work}": ratio for work, ratio in ratios.items()}
    return figures


def compare(
    folder: Path, tarballs: list[Path], rounds: int, ours: tuple[str, ...], other: tuple[str, ...]
) -> dict[str, float]:
    """Return, by kind of work, the time with the options `other` over that with `ours`."""
    times: dict[str, list[dict[str, float]]] = {"ours": [], "other": []}
    for _ in range(rounds):
        for name, options in (("ours", ours), ("other", other)):
            times[name].append(run_server(folder, tarballs, options))
    return {
        work: statistics.median(run[work] for run in times["other"])
        / statistics.median(run[work] for run in times["ours"])
        for work in WORK
    }


def run_server(folder: Path, tarballs: list[Path], options: tuple[str, ...]) -> dict[str, float]:
    """Return the seconds that each kind of work takes on a new server with these options."""
    with tempfile.TemporaryDirectory(dir=folder) as home, serving(Path(home), *options) as config:
        return work_through(config, tarballs)


def work_through(config: Config, tarballs: list[Path]) -> dict[str, float]:
    """Load, rebuild and ask; return the seconds of each."""
    moments = [time.perf_counter()]
    for source in find_sources(tarballs):
        load_tarball(source, config, Ztf())
    moments.append(time.perf_counter())
    rebuild_all(config, Ztf.name, lambda _: None)
    moments.append(time.perf_counter())
    with connect(config, Account.READER, public_database(Ztf.name)) as connection:
        some = f"SELECT DISTINCT objectId FROM alerts ORDER BY objectId LIMIT {OBJECTS}"
        query = f"SELECT l.* FROM ({some}) AS o STRAIGHT_JOIN lightcurve AS l USING (objectId)"
        connection.exec_driver_sql(f"SELECT COUNT(*), SUM(q.jd) FROM ({query}) AS q").one()
    moments.append(time.perf_counter())
    return {work: end - begin for work, begin, end in zip(WORK, moments, moments[1:], strict=False)}


if __name__ == "__main__":
    main()
