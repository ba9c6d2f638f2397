"""From pieces of any length to full buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.tarballs.gunzip import BadGzip

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Pour"]


class Pour:
    """Fills buffers from pieces of any length; keeps a failure for later, so that what came before it is used."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.ended = False
        self.failure: BadGzip | None = None

    def into(self, view: memoryview, filled: int) -> int:
        """Fill ``view[filled:]``; returns up to where it is full, the end of `view` unless the pieces ended."""
        while filled < len(view) and not self.ended:
            if not self._rest:
                self._rest = self._next()
            step = min(len(self._rest), len(view) - filled)
            view[filled : filled + step] = self._rest[:step]
            self._rest = self._rest[step:]
            filled += step
        return filled

    def _next(self) -> memoryview:
        try:
            return memoryview(next(self._pieces))
        except StopIteration:
            self.ended = True
        except BadGzip as error:
            self.failure = error
            self.ended = True
        return memoryview(b"")
