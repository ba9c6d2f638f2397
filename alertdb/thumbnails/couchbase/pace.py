"""How fast a cluster is asked: smaller batches and longer waits while it is short of something."""

from __future__ import annotations

import time

__all__ = ["ATTEMPTS", "Exhausted", "Pace"]

ATTEMPTS = 12  # batches in succession of which nothing got through, before we give up: a minute and a half at most
_MOST = 256  # keys in one batch: enough to keep a cluster busy, little enough for one to swallow
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 5.0  # seconds


class Exhausted(Exception):
    """Nothing got through, as often as it was tried."""


class Pace:
    """The size of the next batch; one instance belongs to one bucket.

    A batch is sent only after the one before it was answered, so no more than one is on its way. Each batch that
    meets temporary errors halves the next and is followed by a wait, twice as long as the last.
    """

    def __init__(self) -> None:
        self.keys = _MOST
        self._in_vain = 0

    def went_well(self) -> None:
        """Count a batch without temporary errors."""
        self.keys = min(_MOST, self.keys * 2)
        self._in_vain = 0

    def met_errors(self, *, got_through: bool) -> None:
        """Count a batch with temporary errors, and wait.

        Raises
        ------
        Exhausted
            Raised if that was the last attempt.
        """
        self.keys = max(1, self.keys // 2)
        self._in_vain = 1 if got_through else self._in_vain + 1
        if self._in_vain >= ATTEMPTS:
            self._in_vain = 0
            raise Exhausted
        time.sleep(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._in_vain - 1)))
