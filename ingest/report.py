"""What the command `ingest` tells while and after it loads: progress, a line per tarball, the counts at the end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.cli.output import counted, message, size
from alertdb.database import Account, connect
from alertdb.errors import AlertdbError, TooManyRejects
from ingest.ledger import list_entries
from ingest.room import ROWS_SHARE, THUMBNAILS_SHARE, find_rooms
from ingest.session import Failure, load_all
from ingest.tarballs import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from alertdb.config import Config
    from ingest.pipeline import Outcome
    from ingest.removal import Removed
    from ingest.session import Options
    from ingest.tarballs import Source

__all__ = ["progress", "report_estimate", "report_load", "tell_removed"]

SHOWN_FIELDS = 20  # of those that no table has; the ledger has all
SHOWN_NAMES = 5
PLAIN_SECONDS = 10  # between two lines of progress where there is no terminal
ALERTS_PER_SECOND = 1_000  # what a machine of two cores does at least; benchmarks/ingest.py measures yours


def report_load(
    console: Console,
    sources: Sequence[Source],
    config: Config,
    workers: int,
    options: Options,
    *,
    max_bad: int | None,
) -> list[Failure]:
    """Load all sources and tell of it; return the tarballs that failed.

    Raises
    ------
    TooManyRejects
        If more than `max_bad` packets were rejected.
    """
    began = time.monotonic()
    outcomes: list[Outcome] = []
    failures: list[Failure] = []
    with progress(console, sources) as (advance, finish):
        for result in load_all(sources, config, workers=workers, options=options, progress=advance):
            finish(result.name)
            if isinstance(result, Failure):
                failures.append(result)
                message(f"Error: {result.error}")
            else:
                outcomes.append(result)
                _tell(console, result)
    _tell_totals(console, outcomes, failures, time.monotonic() - began)
    bad = sum(outcome.rejects for outcome in outcomes)
    if max_bad is not None and bad > max_bad:
        raise TooManyRejects(bad, max_bad)
    return failures


def report_estimate(console: Console, sources: Sequence[Source], config: Config) -> None:
    """Tell how many alerts the sources hold that are not in yet, what space and time they need, and what is free."""
    known = _loaded_names(config)
    new = [source for source in sources if source.name not in known]
    alerts = 0
    for source in sources:
        guess = estimate(source) if source in new else None
        alerts += guess.alerts if guess else 0
        what = f"about {counted(guess.alerts, 'alert')}, {size(source.bytes)}" if guess else "already in"
        console.print(f"{source.name}: {what}", soft_wrap=True)
    unread = sum(source.bytes for source in new)
    rooms = find_rooms(unread, config)
    verdict = "enough" if all(room.free > room.needed for room in rooms) else "NOT enough"
    free = ", ".join(f"{size(room.free)} free on the disk of {room.place}" for room in rooms)
    console.print(
        f"In all: about {counted(alerts, 'alert')}, {size(int(unread * ROWS_SHARE))} in the database, "
        f"{size(int(unread * THUMBNAILS_SHARE))} of thumbnails, {alerts / ALERTS_PER_SECOND / 3600:.2f} hours "
        f"at {ALERTS_PER_SECOND:,} alerts/s; {free}: {verdict}. Nothing was loaded.",
        soft_wrap=True,
    )


def _loaded_names(config: Config) -> set[str]:
    """Return the names in the ledger; none where there is no archive yet to ask."""
    try:
        with connect(config, Account.READER) as connection:
            return {row["name"] for row in list_entries(connection)}
    except AlertdbError:
        return set()


def _tell(console: Console, outcome: Outcome) -> None:
    if outcome.skipped:
        console.print(f"{outcome.name}: skipped, {outcome.skipped}", soft_wrap=True)
        return
    rate = outcome.alerts / outcome.seconds if outcome.seconds else 0
    line = f"{outcome.name}: {counted(outcome.alerts, 'alert')} of {counted(outcome.objects, 'object')}"
    line += f", {counted(outcome.limits, 'limit')}"
    line += f", {counted(outcome.rejects, 'reject')}" if outcome.rejects else ""
    line += f", {outcome.duplicates:,} of the alerts already in from another tarball" if outcome.duplicates else ""
    line += f", {outcome.taken_over:,} of the alerts taken over from another tarball" if outcome.taken_over else ""
    console.print(f"{line}, {outcome.seconds:.1f} s, {rate:,.0f} alerts/s", soft_wrap=True)
    if outcome.removed:
        tell_removed(console, f"  {outcome.name}: replaced", outcome.removed)
    if outcome.rejects:
        message(f"  {outcome.name}: see 'alertdb rejects {outcome.name}' for what was rejected and why")
    if outcome.doubts:
        message(
            f"  {outcome.name}: {len(outcome.doubts):,} packets loaded with a damaged end, first {outcome.doubts[0]}"
        )
    if outcome.damage:
        message(f"  {outcome.name}: loaded as partial: {outcome.damage}")
    if outcome.unknown_fields:
        names, more = outcome.unknown_fields[:SHOWN_FIELDS], len(outcome.unknown_fields) - SHOWN_FIELDS
        listed = ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
        message(f"  {outcome.name}: fields that no table has, left out: {listed}")


def tell_removed(console: Console, what: str, removed: Removed) -> None:
    """Tell what left the archive with a tarball, and what of other tarballs could not be brought back."""
    parts = [f"{removed.alerts:,} alerts"]
    parts += [f"{removed.handed_over:,} alerts stay, since another tarball holds them"] if removed.handed_over else []
    for table, count in removed.rows.items():
        parts += [f"{table} {abs(count):,} rows {'less' if count > 0 else 'more'}"] if count else []
    console.print(f"{what}: {', '.join(parts)}", soft_wrap=True)
    if removed.missing:
        names = _first(removed.missing)
        message(f"  Of the nights around {len(removed.missing):,} tarballs were not at hand (see --from): {names}")
    if removed.left:
        message(
            f"  Up to {sum(removed.left.values()):,} rows of {len(removed.left):,} objects may stand in them too, and "
            f"are missing now: {_first(sorted(removed.left))}. To bring them back: alertdb ingest --replace with them."
        )


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")


def _tell_totals(console: Console, outcomes: Sequence[Outcome], failures: Sequence[Failure], seconds: float) -> None:
    loaded = [outcome for outcome in outcomes if not outcome.skipped]
    alerts = sum(outcome.alerts for outcome in loaded)
    objects = len(set().union(*(outcome.object_keys for outcome in loaded)))
    parts = [f"{counted(len(loaded), 'tarball')} loaded"]
    parts += [f"{len(outcomes) - len(loaded):,} skipped"] if len(outcomes) > len(loaded) else []
    parts += [f"{len(failures):,} failed"] if failures else []
    console.print(
        f"{', '.join(parts)}: {counted(alerts, 'alert')}{_not_new(loaded)}, {counted(objects, 'object')}, "
        f"{counted(sum(o.limits for o in loaded), 'limit')}, {counted(sum(o.rejects for o in loaded), 'reject')}, "
        f"{seconds:.1f} s, {alerts / seconds:,.0f} alerts/s",
        soft_wrap=True,
    )


def _not_new(outcomes: Sequence[Outcome]) -> str:
    known = sum(outcome.duplicates + outcome.taken_over for outcome in outcomes)
    return f" ({known:,} of them were in before)" if known else ""


@contextmanager
def progress(
    console: Console, sources: Sequence[Source]
) -> Iterator[tuple[Callable[[str, int, int], None], Callable[[str], None]]]:
    """Give a function to call as bytes are read, and one to call when a source has ended."""
    done = _Counter(sources)
    if not console.is_terminal:
        yield _plain_progress(done), done.finish
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), DownloadColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=done.total, rate="")

        def advance(name: str, read: int, alerts: int) -> None:
            done.advance(name, read, alerts)
            bar.update(task, completed=done.read, rate=f"{done.rate:,.0f} alerts/s")

        def finish(name: str) -> None:
            done.finish(name)
            bar.update(task, completed=done.read)

        yield advance, finish


def _plain_progress(done: _Counter) -> Callable[[str, int, int], None]:
    last = time.monotonic()

    def advance(name: str, read: int, alerts: int) -> None:
        nonlocal last
        done.advance(name, read, alerts)
        if time.monotonic() - last > PLAIN_SECONDS:
            last = time.monotonic()
            message(f"{done.share:.0%} read, {done.alerts:,} alerts, {done.rate:,.0f} alerts/s, {done.left:.0f} s left")

    return advance


class _Counter:
    """How far all sources together are."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sizes = {source.name: source.bytes for source in sources}
        self._read = dict.fromkeys(self._sizes, 0)
        self._alerts = dict.fromkeys(self._sizes, 0)
        self._began = self._first = time.monotonic()
        self._first_alerts = 0
        self.total = sum(self._sizes.values())

    def advance(self, name: str, read: int, alerts: int) -> None:
        self._read[name], self._alerts[name] = read, alerts
        if not self._first_alerts:
            self._first, self._first_alerts = time.monotonic(), self.alerts

    def finish(self, name: str) -> None:
        self._read[name] = self._sizes[name]

    @property
    def read(self) -> int:
        return sum(self._read.values())

    @property
    def alerts(self) -> int:
        return sum(self._alerts.values())

    @property
    def share(self) -> float:
        return self.read / self.total if self.total else 1.0

    @property
    def rate(self) -> float:
        """Alerts per second since the first of them came: what starting up took says nothing of the pace."""
        return (self.alerts - self._first_alerts) / max(time.monotonic() - self._first, 1e-3)

    @property
    def left(self) -> float:
        """Seconds that the rest takes at the pace so far."""
        return (time.monotonic() - self._began) * (1 - self.share) / max(self.share, 1e-6)
