"""What waits on disk while a tarball is read: the rows of shared tables, once each."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from alertdb.errors import SpoolNotWritten
from ingest.cleaning import keep_largest_packet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.surveys import SharedTable

__all__ = ["SharedRows", "spooling"]

SPILL_BYTES = 48 * 2**20  # rows of one shared table held in memory; beyond it they wait on disk


@contextmanager
def spooling(folder: Path) -> Iterator[None]:
    """Say what the file system objects to while something is written in `folder`.

    Raises
    ------
    SpoolNotWritten
        For any error of the system.
    """
    try:
        yield
    except OSError as error:
        raise SpoolNotWritten(folder, error.strerror or str(error)) from error


class SharedRows:
    """The rows that one tarball brings to a shared table: each key once, in the order of the key.

    Histories repeat from packet to packet, so rows are merged as they come. They are kept in ranges of the key, so that
    one range at a time fits into memory however long the tarball.

    Parameters
    ----------
    table
        The shared table.
    folder
        Where rows wait once they are too many for memory.
    ranges
        Into how many ranges of the key's first column to divide.
    """

    def __init__(self, table: SharedTable, folder: Path, ranges: int = 1) -> None:
        self.table = table
        self._folder = folder
        self._ranges = ranges
        self._limits: pl.Series | None = None  # first value of the key's first column in each range but the first
        self._frames: list[pl.DataFrame] = []
        self._bytes = 0
        self._spills = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Take the rows of a batch: the table's columns, in any order of rows, keys repeating."""
        merged = keep_largest_packet(frame.select(self.table.columns), self.table.key)
        self._frames.append(merged)
        self._bytes += int(merged.estimated_size())
        if self._bytes > SPILL_BYTES:
            self._compact()

    def merged(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, range by range in ascending order of the key."""
        if self._spills == 0:
            if self._frames:
                yield keep_largest_packet(pl.concat(self._frames), self.table.key)
            return
        self._spill()
        for index in range(self._ranges):
            files = sorted(self._folder.glob(f"{self.table.name}-{index:03}-*.arrow"))
            if files:
                yield keep_largest_packet(pl.concat([pl.read_ipc(file) for file in files]), self.table.key)

    def _compact(self) -> None:
        """Merge what is in memory; where that leaves too much, put it on disk."""
        merged = keep_largest_packet(pl.concat(self._frames), self.table.key)
        self._frames = [merged]
        self._bytes = int(merged.estimated_size())
        if self._bytes > SPILL_BYTES / 2:
            self._spill()

    def _spill(self) -> None:
        if not self._frames:
            return
        merged = keep_largest_packet(pl.concat(self._frames), self.table.key)
        first = self.table.key[0]
        if self._limits is None:
            steps = [merged.height * i // self._ranges for i in range(1, self._ranges)]
            self._limits = merged[first].gather(steps)
        place = self._limits.search_sorted(merged[first], side="right")
        for (index,), part in merged.with_columns(range=place).partition_by("range", as_dict=True).items():
            with spooling(self._folder):
                part.drop("range").write_ipc(self._folder / f"{self.table.name}-{index:03}-{self._spills:05}.arrow")
        self._frames, self._bytes = [], 0
        self._spills += 1
