"""How fast an archive of two million alerts answers: frames, light curves, cones, thumbnails, quality pictures.

    python benchmarks/query.py [--quick] [--json FILE] [--data FOLDER] [--keep FOLDER] [--realtime]

The archive is made for it by `query_archive.py`, in a temporary folder, or in the one of --keep, where it stays for the
next run. Server and questions share the machine. What is asked was asked once before: pages and files are in memory.
Percentiles of single questions tell little where other programs keep the cores busy: --realtime (as root) has server
and questions go before these while they are measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(sys.path[0])
del sys.path[0]  # this folder, whose ingest.py would stand before the package `ingest`

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time
import warnings
from typing import TYPE_CHECKING, Any

import mariadb
import numpy as np
import pandas as pd

from alertdb.archive import Archive
from alertdb.config import Config
from alertdb.lightcurve_rows import ONE, PLACES
from alertdb.server import PrivateServer
from alertdb.stamps import read_stamps
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ALERTS, DOCUMENTS, ROWS = 2_000_000, 60_000, 1_000_000
QUICK_ALERTS, QUICK_DOCUMENTS, QUICK_ROWS = 100_000, 2_000, 50_000
OBJECTS, CONES, THUMBNAILS = 2_000, 2_000, 20_000
REPEATS = 5
FOUR_COLUMNS = "SELECT objectId, jd, fid, magpsf FROM alerts LIMIT {rows}"
SCAN = "SELECT COUNT(objectId), SUM(jd), SUM(fid), SUM(magpsf) FROM alerts"
PROBES = """
    SELECT objectId FROM summary AS s WHERE nobs = 20 AND nlimmag = 7
    AND (SELECT COUNT(*) FROM alerts_prv AS p WHERE p.objectId = s.objectId) = 3 LIMIT {count}"""


def main() -> None:
    """Make the archive, or take the one that is kept; measure; print."""
    options = parse_arguments()
    sizes = (QUICK_ALERTS, QUICK_DOCUMENTS) if options.quick else (ALERTS, DOCUMENTS)
    with folder_of(options) as folder, serving(folder, *sizes) as config, Archive(config) as archive:
        figures: dict[str, Any] = {}
        for measure in (frames, quality):
            figures |= measure(archive, quick=options.quick)
        if options.realtime:
            go_first(PrivateServer(config.home).pid())
        for measure in (light_curves, cones, thumbnails):
            figures |= measure(archive, quick=options.quick)
    figures |= {
        "alerts": sizes[0],
        "quick": options.quick,
        "realtime": options.realtime,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    for name, value in figures.items():
        print(f"{name:28} {value:12.3f}" if isinstance(value, float) else f"{name:28} {value!s:>12}")
    if options.quick:
        print("a quick run: a small archive, few questions")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute, at a smaller size")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--data", type=Path, help="folder for the temporary archive (a fast local disk, 7 GB)")
    parser.add_argument("--keep", type=Path, help="folder for an archive that stays")
    parser.add_argument("--realtime", action="store_true", help="go before other programs, on a busy machine")
    return parser.parse_args()


def go_first(server: int | None) -> None:
    """Have this process and the server's threads run before those of other programs."""
    for task in [0, *(int(entry.name) for entry in Path(f"/proc/{server}/task").iterdir())]:
        os.sched_setscheduler(task, os.SCHED_RR, os.sched_param(1))


@contextlib.contextmanager
def folder_of(options: argparse.Namespace) -> Iterator[Path]:
    """Give the folder for the archive; a temporary one goes away."""
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        yield options.keep.absolute()
        return
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        yield Path(folder)


@contextlib.contextmanager
def serving(folder: Path, alerts: int, documents: int) -> Iterator[Config]:
    """Make the archive unless it is there, and run its server."""
    made = folder / "made"
    config = Config(home=folder / "home", server_options=("innodb_buffer_pool_size=4G", "innodb_log_file_size=1G"))
    server = PrivateServer(config.home, config.server_options)
    try:
        if not made.exists():
            program = [sys.executable, str(HERE / "query_archive.py"), str(folder)]
            subprocess.run([*program, f"--alerts={alerts}", f"--documents={documents}"], check=True)
            made.touch()
        server.ensure_started()
        yield config
    finally:
        server.ensure_stopped()


def frames(archive: Archive, *, quick: bool) -> dict[str, float]:
    """Four columns of a million rows into a frame: ours, pandas over the driver; the server's scan of as many rows."""
    rows = QUICK_ROWS if quick else ROWS
    statement = FOUR_COLUMNS.format(rows=rows)
    share = rows / archive.sql("SELECT COUNT(*) AS n FROM alerts")["n"].iloc[0]
    with contextlib.closing(plain_connection(archive.config)) as connection:
        ways: dict[str, Callable[[], object]] = {
            "frame": lambda: archive.sql(statement),
            "read_sql": lambda: pd.read_sql(statement, connection),
            "scan": lambda: archive.sql(SCAN),
        }
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy")
            times = interleaved(ways)
    times["scan"] *= share  # it has no LIMIT: it reads the whole table
    return {
        **{f"{name}_s": seconds for name, seconds in times.items()},
        "frame_ratio": times["read_sql"] / times["frame"],
        "scan_ratio": times["frame"] / times["scan"],
    }


def plain_connection(config: Config) -> Any:
    """Open a connection as one does without this library."""
    password = (config.secrets / "reader").read_text().strip()
    socket = str(PrivateServer(config.home).socket)
    return mariadb.connect(unix_socket=socket, user="alertdb_reader", password=password, database="ztf")


def light_curves(archive: Archive, *, quick: bool) -> dict[str, float]:
    """Light curves of 30 points, one object a call: the whole call, and the server's answer alone."""
    names = archive.sql(PROBES.format(count=OBJECTS // 10 if quick else OBJECTS))["objectId"].tolist()
    if {len(archive.lightcurve(name)) for name in names} != {30}:
        raise SystemExit("the probes have no light curves of 30 points")
    whole = each(archive.lightcurve, names)
    server = each(lambda name: archive.reader.look_up(ONE, *[name] * PLACES), names)
    return percentiles("lightcurve", whole) | percentiles("lightcurve_server", server)


def cones(archive: Archive, *, quick: bool) -> dict[str, float]:
    """Cones of 10 arcsec on alerts, one a call; a thousand of 2 arcsec in one call."""
    count = CONES // 10 if quick else CONES
    places = [
        *some_places(archive, "ABS(`dec`) > 80", count // 10),
        *some_places(archive, "ABS(`dec` - 15) < 0.5 AND ABS(ra - 290) < 0.5", count // 10),
        *some_places(archive, "TRUE", count - 2 * (count // 10)),
    ]
    for place in places:
        archive.cone(place, 10)
    many = some_places(archive, "TRUE", 1000)
    thousand = interleaved({"cones_1000_s": lambda: archive.cone(many, 2)})
    return percentiles("cone", each(lambda place: archive.cone(place, 10), places)) | thousand


def some_places(archive: Archive, condition: str, count: int) -> list[tuple[float, float]]:
    """Positions of alerts taken from all over the archive."""
    statement = f"SELECT ra, `dec` FROM alerts WHERE {condition} ORDER BY CRC32(candid) LIMIT {count}"
    return list(archive.sql(statement).itertuples(index=False, name=None))


def thumbnails(archive: Archive, *, quick: bool) -> dict[str, float]:
    """Documents of random alerts from the embedded store, as bytes and as arrays."""
    store = open_store(archive.config.thumbnails)
    candids = np.concatenate([store.candids(night.tarball, night.rights) for night in store.tarballs()])
    asked = np.random.default_rng(1).choice(candids, THUMBNAILS // 10 if quick else THUMBNAILS).tolist()
    for candid in asked:
        store.get(candid)
    return {
        **percentiles("thumbnail", each(store.get, asked)),
        **percentiles("thumbnail_arrays", each(lambda candid: read_stamps(store.get(candid)), asked)),
    }


def quality(archive: Archive, *, quick: bool) -> dict[str, float]:
    """Each quality picture once, after one that was not counted."""
    from alertdb.qa import NAMES

    archive.qa.nights()
    repeats = 1 if quick else 3
    times = {
        f"qa_{name}_s": statistics.median(each(getattr(archive.qa, name), [None] * repeats, bare=True))
        for name in NAMES
    }
    return {**times, "qa_max_s": max(times.values())}


def interleaved(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median time of each way in seconds, all ways in turn, after one turn that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds[1:]) for name, seconds in times.items()}


def each(ask: Callable[..., object], things: Iterable[Any], *, bare: bool = False) -> list[float]:
    """Return how long each question took, in seconds; `bare` calls without the thing."""
    times = []
    for thing in things:
        began = time.perf_counter()
        _ = ask() if bare else ask(thing)
        times.append(time.perf_counter() - began)
    return times


def percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    """Return median and 99th percentile in ms."""
    median, high = np.percentile(np.array(seconds) * 1000, [50, 99])
    return {f"{name}_p50_ms": float(median), f"{name}_p99_ms": float(high)}


if __name__ == "__main__":
    main()
