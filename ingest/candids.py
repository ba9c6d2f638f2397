"""The candids of a tarball's alerts: eight bytes each, and quickly found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Candids = npt.NDArray[np.int64]

__all__ = ["CandidSet"]


class CandidSet:
    """Different candids, in sorted runs; each run is more than twice as long as the next, so there are few."""

    def __init__(self) -> None:
        self._runs: list[Candids] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def find(self, candids: Candids) -> npt.NDArray[np.bool_]:
        """Return which of these are in the set, shape (n,)."""
        found = np.zeros(len(candids), np.bool_)
        for run in self._runs:
            found |= run.take(np.searchsorted(run, candids), mode="clip") == candids
        return found

    def add(self, candids: Candids) -> npt.NDArray[np.bool_]:
        """Take candids in; return which of them were not in the set, nor before in `candids`, shape (n,)."""
        fresh = np.zeros(len(candids), np.bool_)
        fresh[np.unique(candids, return_index=True)[1]] = True
        fresh &= ~self.find(candids)
        run = np.sort(candids[fresh])
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")  # which sees two runs and merges them
        if len(run):
            self._runs.append(run)
        return fresh

    def sorted(self) -> Candids:
        """Return all, ascending, shape (n,)."""
        return np.sort(np.concatenate([np.empty(0, np.int64), *self._runs]))
