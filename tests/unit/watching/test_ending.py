"""A signal ends the work, also where Python drops what is raised."""

from __future__ import annotations

import os
import signal
import time
import weakref
from contextlib import suppress

import pytest

from ingest.watching.ending import ended_by_signals


def wait() -> None:
    for _ in range(3000):  # half a minute; in short sleeps, as a signal that comes before one does not wake it
        time.sleep(0.01)


def end_ourselves() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    wait()


def test_a_signal_that_a_library_drops_is_told_all_the_same() -> None:
    with ended_by_signals() as told:
        assert not told.is_set()
        with suppress(KeyboardInterrupt):
            end_ourselves()
        assert told.is_set()


class Thing:
    pass


def test_sigterm_is_as_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        end_ourselves()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_within_a_callback_is_not_lost() -> None:
    called = []

    def callback(_: object) -> None:
        called.append(1)
        end_ourselves()  # the handler raises in here, and Python drops it

    def lose_a_thing() -> None:
        thing = Thing()
        reference = weakref.ref(thing, callback)
        del thing
        assert reference() is None
        wait()

    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        lose_a_thing()
    assert called == [1]
