"""A line that counts rows while they come, for those who watch."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["counting_rows"]

SILENT_SECONDS = 1.0  # a question that is answered by then shows nothing


@contextmanager
def counting_rows() -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many rows there are so far; it shows them in a terminal or notebook."""
    bar = _Bar()
    try:
        yield bar.show
    finally:
        bar.stop()


class _Bar:
    """A progress bar that begins when the question has taken a while."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stop: Callable[[], None] | None = None
        self._update: Callable[[int], None] | None = None

    def show(self, rows: int) -> None:
        """Show the number of rows."""
        if self._update is None:
            if time.monotonic() - self._began < SILENT_SECONDS:
                return
            self._begin()
        if self._update is not None:
            self._update(rows)

    def stop(self) -> None:
        """Take the bar away."""
        if self._stop is not None:
            self._stop()

    def _begin(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        text = TextColumn("{task.completed:,} rows, {task.fields[rate]:,} a second")
        bar = Progress(
            text, BarColumn(), TimeElapsedColumn(), console=console, transient=True, disable=not _is_watched(console)
        )
        task = bar.add_task("", total=None, rate=0)

        def update(rows: int) -> None:
            bar.update(task, completed=rows, rate=int(rows / (time.monotonic() - self._began)))

        bar.start()
        self._stop, self._update = bar.stop, update


def _is_watched(console: object) -> bool:
    return bool(getattr(console, "is_terminal", False) or getattr(console, "is_jupyter", False))
