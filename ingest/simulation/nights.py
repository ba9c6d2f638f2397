"""Simulated nights as tarballs: who alerts is chosen first, then packets are made in batches."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from alertdb.errors import BadSimulationError
from ingest.simulation.batch import look_back
from ingest.simulation.dice import Dice
from ingest.simulation.packets import packet
from ingest.simulation.packets import schema as packet_schema
from ingest.simulation.records import records
from ingest.simulation.selection import Selection, select
from ingest.simulation.stamps import NAMES, stamps
from ingest.simulation.survey import night_number
from ingest.simulation.tarballs import member, open_tarball
from ingest.simulation.truth import truth_path, write_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

__all__ = ["PROGRAMS", "simulate_nights"]

_T = TypeVar("_T")

# The programmes whose detections raise a tarball's alerts, and those whose epochs its histories may tell of.
PROGRAMS = {"public": ((1,), (1,)), "partnership": ((2, 3), (1, 2, 3))}
_BATCH = 100  # alerts made together: enough to share the work, few enough to stay small


def simulate_nights(
    nights: Sequence[int],
    alerts: int,
    output: Path,
    *,
    seed: int = 1,
    schema: str = "3.3",
    programs: Sequence[str] = ("public",),
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Simulate nights and write each as a tarball like the survey's, with the truth beside it.

    The same arguments give the same bytes, whatever the number of workers and whichever nights are simulated
    together. Objects live on from night to night: later histories hold the earlier nights' detections.

    Parameters
    ----------
    nights
        Nights as YYYYMMDD.
    alerts
        Alerts in each tarball. Detections beyond that number raise no alert; later histories have them.
    output
        Folder for the tarballs; made where it is missing. A tarball of the same name is replaced.
    seed
        Chooses the simulated sky.
    schema
        Version of the packets: 3.3, or 4.02 with forced photometry.
    programs
        Which tarballs to write: ``public``, ``partnership`` or both.
    workers
        Processes to use. More than one are started afresh: a script that asks for them must guard its own
        work by ``if __name__ == "__main__":``.
    progress
        Called with the number of alerts just written.

    Returns
    -------
    list of Path
        The tarballs, ``ztf_<program>_<night>.tar.gz``, by night and program. Beside each lies
        ``ztf_<program>_<night>.truth.parquet``, one row an alert.

    Raises
    ------
    BadNightError
        If a night is no date of the survey.
    BadSimulationError
        If the number of alerts, the schema or a program is none that can be simulated.
    """
    _check(alerts, programs, schema)
    jobs = [
        _Job(seed, schema, night_number(night), *PROGRAMS[program], output / f"ztf_{program}_{night}.tar.gz")
        for night in nights
        for program in programs
    ]
    output.mkdir(parents=True, exist_ok=True)
    with _Workers(workers) as pool:
        for job in jobs:
            _write(job, alerts, pool, progress or (lambda _: None))
    return [job.path for job in jobs]


def _check(alerts: int, programs: Sequence[str], version: str) -> None:
    packet_schema(version)
    if alerts < 1:
        raise BadSimulationError("the number of alerts", alerts, "at least 1")
    for program in programs:
        if program not in PROGRAMS:
            raise BadSimulationError("the program", program, " or ".join(PROGRAMS))


@dataclass(frozen=True)
class _Job:
    """One tarball to make."""

    seed: int
    version: str
    nid: int
    alerting: tuple[int, ...]
    told: tuple[int, ...]
    path: Path


def _write(job: _Job, alerts: int, pool: _Workers, progress: Callable[[int], None]) -> None:
    """Choose the alerts of a tarball, make them, and write them in order."""
    chosen = select(Dice(job.seed), job.nid, job.alerting, alerts)
    batches = (chosen.at(np.arange(start, min(start + _BATCH, alerts))) for start in range(0, alerts, _BATCH))
    with open_tarball(job.path) as tarball:
        for count, members in pool.run(_members, ((job, batch) for batch in batches)):
            tarball.write(members)
            progress(count)
    write_truth(truth_path(job.path), Dice(job.seed), chosen)


def _members(job: _Job, chosen: Selection) -> tuple[int, bytes]:
    """Make the packets of some alerts, as members of a tar file one after the other."""
    dice, version = Dice(job.seed), packet_schema(job.version)
    batch = look_back(dice, job.nid, job.told, chosen)
    made = []
    for record, cutouts in zip(records(dice, batch, version), stamps(dice, batch), strict=True):
        names = _stamp_names(record["candid"], record["candidate"]["pid"])
        for key, name, data in zip(NAMES, names, cutouts, strict=True):
            record[key] = {"fileName": name, "stampData": data}
        made.append(member(f"{record['candid']}.avro", packet(version, record)))
    return len(made), b"".join(made)


def _stamp_names(candid: int, pid: int) -> tuple[str, str, str]:
    start = f"candid{candid}"
    return (
        f"{start}_pid{pid}_targ_sci.fits.gz",
        f"{start}_ref.fits.gz",
        f"{start}_pid{pid}_targ_scimref.fits.gz",
    )


def _leave_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one; it stops the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Workers:
    """Runs a function over many arguments in several processes, in order, a few ahead of what is taken."""

    def __init__(self, count: int) -> None:
        self._count = count
        # Not forked: a program that shows progress has threads, and a fork of it may hang.
        context = multiprocessing.get_context("spawn")
        self._pool = (
            ProcessPoolExecutor(count, mp_context=context, initializer=_leave_interrupts) if count > 1 else None
        )

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def run(self, function: Callable[..., _T], arguments: Iterable[tuple[object, ...]]) -> Iterator[_T]:
        """Yield the results in the order of the arguments."""
        if not self._pool:
            yield from (function(*each) for each in arguments)
            return
        waiting: deque[Future[_T]] = deque()
        for each in arguments:
            waiting.append(self._pool.submit(function, *each))
            if len(waiting) > 2 * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
