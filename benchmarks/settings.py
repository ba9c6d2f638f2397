"""What each line of the server's settings brings.

    python benchmarks/settings.py [--alerts N] [--rounds N] [--quick] [--json FILE] [--data FOLDER]

For each line of ``sql/settings/private.cnf`` and ``nvme.cnf`` that is there for speed, two servers are run in turns:
one with the line, one with MariaDB's own default in its place, all else as in private.cnf. Measured are the loading of
simulated tarballs, the rebuilding of the summary, and the light curves of many objects in one query. What is told is
the time without the line over the time with it: above 1, the line helps. The median of several rounds counts; the
spread of the same server against itself (`noise`) says what is no difference.

Lines of nvme.cnf are tried at a size that two cores and some GB of memory can give.
"""

from __future__ import annotations

import sys

del sys.path[0]  # this folder, whose ingest.py would stand before the package `ingest`

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.schema import ensure_schema, public_database
from alertdb.server import PrivateServer
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

ALERTS, QUICK_ALERTS = 20_000, 2_000
ROUNDS = 3
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
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=ALERTS, help="in each of the two tarballs")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each server")
    parser.add_argument("--quick", action="store_true", help="about a minute, at a smaller size")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--data", type=Path, help="folder for tarballs and servers (a fast local disk)")
    options = parser.parse_args()
    if options.alerts < 1 or options.rounds < 1:
        parser.error("--alerts and --rounds need a number of 1 or more")
    if options.data and not options.data.is_dir():
        parser.error(f"--data: {options.data} is no folder; make it first")
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json: {options.json.parent} is no folder; make it first")
    alerts, rounds = (QUICK_ALERTS, 1) if options.quick else (options.alerts, options.rounds)
    figures: dict[str, float] = {"alerts": alerts, "quick": options.quick, "cores": os.cpu_count() or 0}
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        tarballs = simulate_nights([20240110, 20240111], alerts, Path(folder) / "nights", seed=3)
        figures |= tell("noise", compare(Path(folder), tarballs, rounds, (), ()))
        for file, lines in LINES.items():
            for line, (ours, default) in lines.items():
                figures |= tell(f"{file}_{line}", compare(Path(folder), tarballs, rounds, (ours,), (default,)))
    if options.quick:
        print("a quick run: figures of a few thousand alerts, one round")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def tell(name: str, ratios: dict[str, float]) -> dict[str, float]:
    """Print what a line brings; return it under the keys of the figures."""
    print(f"{name:44}" + "".join(f"  {work} {ratios[work]:5.2f}" for work in WORK), flush=True)
    return {f"{name}_{work}": ratio for work, ratio in ratios.items()}


def compare(
    folder: Path, tarballs: list[Path], rounds: int, ours: tuple[str, ...], other: tuple[str, ...]
) -> dict[str, float]:
    """Return, by kind of work, the time with the options `other` over that with `ours`."""
    times: dict[str, list[dict[str, float]]] = {"ours": [], "other": []}
    for _ in range(rounds):
        for name, options in (("ours", ours), ("other", other)):
            times[name].append(measure(folder, tarballs, options))
    return {
        work: statistics.median(run[work] for run in times["other"])
        / statistics.median(run[work] for run in times["ours"])
        for work in WORK
    }


def measure(folder: Path, tarballs: list[Path], options: tuple[str, ...]) -> dict[str, float]:
    """Return the seconds that each kind of work takes on a new server with these options."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        config = Config(home=Path(home), server_options=options)
        server = PrivateServer(config.home, config.server_options)
        server.ensure_started()
        try:
            ensure_schema(config)
            return work_through(config, tarballs)
        finally:
            server.ensure_stopped()


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
