"""How fast an archive of two million alerts answers: frames, light curves, cones, thumbnails, quality pictures.

The archive (7 GB) is made in a folder that goes away, or in the one of --keep, where it stays for the next run. Server
and questions share the machine. What is asked was asked once before: pages and files are in memory. Percentiles of
single questions tell little where other programs keep the cores busy: --realtime has server and questions go before
these while they are measured.

Examples
--------
    python benchmarks/query.py --quick
    python benchmarks/query.py --keep /fast/disk/archive --json query.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import contextlib
import os
import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alertdb.archive import Archive
from alertdb.errors import AlertdbError
from alertdb.lightcurve_rows import ONE, PLACES
from alertdb.stamps import read_stamps
from alertdb.thumbnails import open_store
from benchmarks.support.made_archive import QUICK_ROWS, ROWS, made_archive, plain_connection
from benchmarks.support.program import Program
from benchmarks.support.servers import server_pid

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable

    from benchmarks.support.program import Figures

OBJECTS, CONES, THUMBNAILS = 2_000, 2_000, 20_000
REPEATS = 5
FOUR_COLUMNS = "SELECT objectId, jd, fid, magpsf FROM alerts LIMIT {rows}"
SCAN = "SELECT COUNT(objectId), SUM(jd), SUM(fid), SUM(magpsf) FROM alerts"
PROBES = """
    SELECT objectId FROM summary AS s WHERE nobs = 20 AND nlimmag = 7
    AND (SELECT COUNT(*) FROM alerts_prv AS p WHERE p.objectId = s.objectId) = 3 LIMIT {count}"""


class NotAllowedToGoFirst(AlertdbError):
    """The system does not let this user go before others."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("--realtime needs the rights of root, which this user has not; leave it out, or run as root.")


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_keep()
    program.add_argument(
        "--realtime", action="store_true", help="go before other programs, on a busy machine; needs root"
    )
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Ask everything."""
    if options.realtime:
        ensure_allowed()
    figures: Figures = {}
    with made_archive(folder, options) as config, Archive(config) as archive:
        for ask in (frames, quality):
            figures |= ask(archive, quick=options.quick)
        if options.realtime:
            go_first(server_pid(config))
        for ask in (light_curves, cones, thumbnails):
            figures |= ask(archive, quick=options.quick)
        figures["alerts"] = int(archive.sql("SELECT COUNT(*) AS n FROM alerts")["n"].iloc[0])
    return figures | {"realtime": int(options.realtime), "cores": os.cpu_count() or 0, "load": os.getloadavg()[0]}


def ensure_allowed() -> None:
    """Go first and back again.

    Raises
    ------
    NotAllowedToGoFirst
        The system refuses.
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, policy, parameters)
    except PermissionError as error:
        raise NotAllowedToGoFirst from error


def go_first(server: int | None) -> None:
    """Have this process and the server's threads run before those of other programs."""
    for task in [0, *(int(entry.name) for entry in Path(f"/proc/{server}/task").iterdir())]:
        os.sched_setscheduler(task, os.SCHED_RR, os.sched_param(1))


def frames(archive: Archive, *, quick: bool) -> Figures:
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


def light_curves(archive: Archive, *, quick: bool) -> Figures:
    """Light curves of 30 points, one object a call: the whole call, and the server's answer alone."""
    names = archive.sql(PROBES.format(count=OBJECTS // 10 if quick else OBJECTS))["objectId"].tolist()
    if {len(archive.lightcurve(name)) for name in names} != {30}:
        raise SystemExit("the probes have no light curves of 30 points")
    whole = each(archive.lightcurve, names)
    server = each(lambda name: archive.reader.look_up(ONE, *[name] * PLACES), names)
    return percentiles("lightcurve", whole) | percentiles("lightcurve_server", server)


def cones(archive: Archive, *, quick: bool) -> Figures:
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


def thumbnails(archive: Archive, *, quick: bool) -> Figures:
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


def quality(archive: Archive, *, quick: bool) -> Figures:
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
