"""The command `alertdb simulate`."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when the program runs
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["simulate"]

_SECONDS_BETWEEN_LINES = 10.0
_IN_PROCESS = 1000  # alerts


def _schemas(incomplete: str) -> list[str]:
    """Return what the shell may offer for --schema."""
    from ingest.simulation.packets import VERSIONS  # here: it brings what no other command needs

    return [version for version in VERSIONS if version.startswith(incomplete)]


def simulate(
    night: Annotated[
        list[int], typer.Option(metavar="YYYYMMDD", help="Night to simulate; may be given several times.")
    ],
    alerts: Annotated[int, typer.Option(min=1, help="Alerts in each tarball.")],
    output: Annotated[Path, typer.Option(file_okay=False, help="Folder for the tarballs.")],
    nights: Annotated[int, typer.Option(min=1, help="So many nights in a row, beginning with each one given.")] = 1,
    seed: Annotated[int, typer.Option(help="Another seed is another sky.")] = 1,
    schema: Annotated[str, typer.Option(help="3.3, or 4.02 with forced photometry.", autocompletion=_schemas)] = "3.3",
    partnership: Annotated[
        bool, typer.Option("--partnership", help="Also write each night's partnership tarball.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes to use; one for each core if left out.")] = None,
) -> None:
    """Simulate nights of alerts whose truth is known, as tarballs like the survey's.

    Writes ztf_public_YYYYMMDD.tar.gz and, beside it, ztf_public_YYYYMMDD.truth.parquet: the class, period,
    peak and true magnitude behind every alert. The same options give the same bytes. Objects live on from
    night to night, so the nights of one seed fit together.

    Examples
    --------
      alertdb simulate --night 20210901 --alerts 1000 --output nights

      alertdb simulate --night 20210901 --nights 10 --alerts 500 --output nights --schema 4.02 --partnership
    """
    from ingest.simulation.nights import simulate_nights  # here: no other command needs what it imports

    chosen = _in_a_row(night, nights)
    programs = ("public", "partnership") if partnership else ("public",)
    total, start = alerts * len(chosen) * len(programs), time.perf_counter()
    with _progress(total) as progress:
        tarballs = simulate_nights(
            chosen,
            alerts,
            output,
            seed=seed,
            schema=schema,
            programs=programs,
            workers=workers or _suited(total),
            progress=progress,
        )
    seconds = time.perf_counter() - start
    _report(tarballs, alerts, seconds)


def _in_a_row(first: Sequence[int], count: int) -> list[int]:
    """Give `count` nights from each of the first ones, sorted, each once."""
    from ingest.simulation.survey import night_number, night_text  # here, since it brings numpy

    numbers = {night_number(night) + i for night in first for i in range(count)}
    return [int(night_text(number)) for number in sorted(numbers)]


def _suited(total: int) -> int:
    """Use every core, but one for what takes less time than starting the others."""
    return 1 if total <= _IN_PROCESS else os.cpu_count() or 1


def _report(tarballs: Sequence[Path], alerts: int, seconds: float) -> None:
    for path in tarballs:
        typer.echo(f"{path}  {alerts:,} alerts  {path.stat().st_size / 1e6:,.1f} MB")
    total = alerts * len(tarballs)
    typer.echo(f"{total:,} alerts in {len(tarballs)} tarballs, {seconds:.1f} s, {total / seconds:,.0f} alerts/s")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show how far it is: a bar on a terminal, else a plain line now and then."""
    from rich.console import Console  # here: 'alertdb --help' does without it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(total).advance
        return
    columns = (TextColumn("simulating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("simulating", total=total)
        yield lambda count: bar.advance(task, count)


class _Lines:
    """Progress for logs: a line every ten seconds."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._shown = total, 0, time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            typer.echo(f"simulated {self._done:,} of {self._total:,} alerts", err=True)
