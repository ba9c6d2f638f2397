"""Being told to end by a signal, wherever the program is at that moment."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ended_by_signals"]

AGAIN_SECONDS = 0.05


@contextmanager
def ended_by_signals() -> Iterator[Event]:
    """Let SIGTERM raise KeyboardInterrupt as Ctrl-C does; in the main thread. What is given says whether one came.

    Libraries in C may drop what is raised while they run, so whoever works in a loop looks at that, too.

    Where Python runs a finaliser or a weak reference's callback it drops what is raised, an interrupt too, and nobody
    sends a second SIGTERM. So it is raised again a moment later.
    """
    told = Event()

    def end(*_: object) -> None:
        told.set()
        raise KeyboardInterrupt

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            hook(what)

    hook, sys.unraisablehook = sys.unraisablehook, dropped
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    try:
        yield told
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
