"""What each line of the server's settings brings.

For each line of ``sql/settings/private.cnf`` and ``nvme.cnf`` that is there for speed, two servers are run in turns:
one with the line, one with MariaDB's own default in its place, all else as in private.cnf. Measured are the loading of
two simulated tarballs, the rebuilding of the summary, and questions: the light curves of many objects that are named,
and a join with the view of light curves, which makes all of them. What is told is the time without the line over the
time with it: above 1, the line helps. The median of several rounds counts; the spread of the same server against itself
(`noise`) says what is no difference.

The lines of nvme.cnf that are for archives larger than memory (`beyond_memory`) are tried with an archive that holds
many alerts already, copied anew for each run, a buffer pool of an eighth of it, and reading past the system's page
cache; without the join. All lines of nvme.cnf have the size that two cores and some GB of memory can give.

Examples
--------
    python benchmarks/settings.py --quick
    python benchmarks/settings.py --alerts 8000 --archive 300000 --json settings.json
    python benchmarks/settings.py --line tmp_table_size
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import os
import shutil
import statistics
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from alertdb.database import Account, connect
from alertdb.schema import public_database
from benchmarks.support.grown_archive import fill_archive
from benchmarks.support.program import Program
from benchmarks.support.servers import serving
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from sqlalchemy import Connection

    from alertdb.config import Config
    from benchmarks.support.program import Figures

Lines: TypeAlias = dict[str, dict[str, tuple[str, str]]]  # by file and name: the option as it is, and the default

OBJECTS = 3_000  # whose light curves are asked for in one query
FILL_POOL = "innodb_buffer_pool_size=4G"  # while rows are made: that part is not measured

# Each line for speed, and what MariaDB 10.11 would do without it.
LINES: Lines = {
    "private.cnf": {
        "innodb_buffer_pool_size": ("innodb_buffer_pool_size=512M", "innodb_buffer_pool_size=128M"),
        "innodb_log_file_size": ("innodb_log_file_size=256M", "innodb_log_file_size=96M"),
        "tmp_table_size": ("tmp_table_size=64M", "tmp_table_size=16M"),
        "max_heap_table_size": ("max_heap_table_size=64M", "max_heap_table_size=16M"),
    },
    "nvme.cnf": {
        "skip_log_bin": ("skip_log_bin", "log_bin=binlog"),
        "innodb_buffer_pool_size": ("innodb_buffer_pool_size=4G", "innodb_buffer_pool_size=128M"),
    },
}
BEYOND_MEMORY: Lines = {
    "nvme.cnf": {
        "innodb_log_file_size": ("innodb_log_file_size=1G", "innodb_log_file_size=96M"),
        "innodb_io_capacity": ("innodb_io_capacity=10000", "innodb_io_capacity=200"),
        "innodb_io_capacity_max": ("innodb_io_capacity_max=40000", "innodb_io_capacity_max=2000"),
    },
}
NAMED = {"lightcurves": "SELECT * FROM lightcurve WHERE objectId IN ({names}) ORDER BY objectId, jd"}
JOINED = {"join": "SELECT COUNT(*), SUM(l.magpsf) FROM summary AS s STRAIGHT_JOIN lightcurve AS l USING (objectId)"}


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 20_000, 1_000, help="alerts in each of the two tarballs")
    program.add_size("archive", 500_000, 10_000, help="alerts in the archive that is larger than memory")
    program.add_size("rounds", 3, 1, help="turns of each server")
    names = sorted({name for files in (LINES, BEYOND_MEMORY) for lines in files.values() for name in lines})
    program.add_argument("--line", choices=names, metavar="NAME", help="only this line of both files (default: all)")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Compare all lines; figures by file, line and kind of work."""
    tarballs = simulate_nights([20240110, 20240111], options.alerts, folder / "nights", seed=3)
    within, beyond = choose(LINES, options.line), choose(BEYOND_MEMORY, options.line)
    figures: Figures = {"alerts": options.alerts, "cores": os.cpu_count() or 0}
    if any(within.values()):
        run = partial(run_server, folder, tarballs, NAMED | JOINED, None, ())
        figures |= compare_all("", within, options.rounds, run)
    if any(beyond.values()):
        grown, pool = grow(folder / "grown", options.archive, tarballs)
        disk = (f"innodb_buffer_pool_size={pool}", "innodb_flush_method=O_DIRECT")
        run = partial(run_server, folder, tarballs, NAMED, grown, disk)
        figures |= {"archive": options.archive, **compare_all("beyond_memory_", beyond, options.rounds, run)}
    return figures


def choose(files: Lines, name: str | None) -> Lines:
    """Return the line of this name in each file, all lines without a name."""
    return {
        file: {line: options for line, options in lines.items() if name in (None, line)}
        for file, lines in files.items()
    }


def grow(home: Path, alerts: int, tarballs: list[Path]) -> tuple[Path, int]:
    """Make an archive of that many alerts; return it, and an eighth of its size."""
    with serving(home, FILL_POOL) as config:
        fill_archive(config, alerts, tarballs, home)
    return home, sum(path.stat().st_size for path in home.rglob("*.ibd")) // 8


def compare_all(prefix: str, files: Lines, rounds: int, run: Callable[[str], dict[str, float]]) -> Figures:
    """Compare a server with itself, and each line of these files with its default."""
    pairs = {"noise": ("", "")}
    pairs |= {f"{file}_{line}": options for file, lines in files.items() for line, options in lines.items()}
    figures: Figures = {}
    for number, (name, (ours, other)) in enumerate(pairs.items(), start=1):
        print(f"{number} of {len(pairs)}: {prefix}{name}", flush=True)
        ratios = compare(rounds, partial(run, ours), partial(run, other))
        figures |= {f"{prefix}{name}_{work}": ratio for work, ratio in ratios.items()}
    return figures


def compare(
    rounds: int, ours: Callable[[], dict[str, float]], other: Callable[[], dict[str, float]]
) -> dict[str, float]:
    """Return, by kind of work, the time that `other` takes over that of `ours`."""
    times = [(ours(), other()) for _ in range(rounds)]
    return {
        work: statistics.median(run[work] for _, run in times) / statistics.median(run[work] for run, _ in times)
        for work in times[0][0]
    }


def run_server(
    folder: Path,
    tarballs: list[Path],
    questions: dict[str, str],
    grown: Path | None,
    disk: tuple[str, ...],
    option: str,
) -> dict[str, float]:
    """Return the seconds that each kind of work takes on a server that has just started with this option.

    Its archive is empty, or a copy of `grown`.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        home = Path(place) / "home"
        if grown is not None:
            shutil.copytree(grown, home)
        with serving(home, *disk, *filter(None, [option])) as config:
            return work_through(config, tarballs, questions)


def work_through(config: Config, tarballs: list[Path], questions: dict[str, str]) -> dict[str, float]:
    """Load, rebuild and ask; return the seconds of each."""
    seconds = {"load": timed(partial(load_all, config, tarballs))}
    seconds["rebuild"] = timed(partial(rebuild_all, config, Ztf.name, lambda _: None))
    with connect(config, Account.READER, public_database(Ztf.name)) as connection:
        some = f"SELECT objectId FROM summary ORDER BY RAND(1) LIMIT {OBJECTS}"
        names = ", ".join(f"'{name}'" for name in connection.exec_driver_sql(some).scalars())
        for name, question in questions.items():
            seconds[name] = timed(partial(ask, connection, question.format(names=names)))
    return seconds


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def ask(connection: Connection, question: str) -> None:
    """Fetch the whole answer."""
    connection.exec_driver_sql(question).all()


def load_all(config: Config, tarballs: list[Path]) -> None:
    """Load tarballs one after the other."""
    for source in find_sources(tarballs):
        load_tarball(source, config, Ztf())


if __name__ == "__main__":
    main()
