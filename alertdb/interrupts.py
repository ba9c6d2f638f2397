"""Waiting for C code that does not hear Ctrl-C."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["interruptible"]

SIGNAL_SECONDS = 0.2

T = TypeVar("T")


def interruptible(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Run `work` so that Ctrl-C calls `stop`, which must end it, and is raised then."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        _wait(ended)
    except KeyboardInterrupt:
        stop()
        _wait(ended)  # its connection must not be closed while the thread still reads from it
        raise
    if errors:
        raise errors[0]
    return results[0]


def _wait(event: threading.Event) -> None:
    """Wait, looking for signals now and then: one may have gone to another thread.

    Not with Thread.join(): once interrupted, it takes the thread for ended (Python 3.11).
    """
    while not event.wait(SIGNAL_SECONDS):
        pass
