"""Which files of a folder are complete, as far as looking tells: those that have stopped changing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Settling", "State"]


@dataclass(frozen=True)
class State:
    """What tells one content of a file from another without reading it: size, time of change, file number."""

    bytes: int
    modified_ns: int
    inode: int


class Settling:
    """Remembers since when each file has been as it is.

    Only looks are compared, never a file's time with a clock: the file server's may differ, and a copy may bring
    the time of its original.

    Parameters
    ----------
    seconds
        How long a file must have been unchanged.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[str, tuple[State, float]] = {}

    def look(self, files: Mapping[str, State], now: float) -> set[str]:
        """Take in what files there are and return those that have not changed for long enough.

        Parameters
        ----------
        now
            Seconds of a clock that never goes back.
        """
        seen = {}
        for name, state in files.items():
            before, since = self._since.get(name, (state, now))
            seen[name] = (state, since if before == state else now)
        self._since = seen
        return {name for name, (_, since) in seen.items() if now - since >= self._seconds}
