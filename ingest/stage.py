"""Rows of one tarball for a shared table, waiting on disk until the tarball is read to its end.

Histories repeat from packet to packet. A row that many packets tell is kept once, when the first of them comes; which
packet is the largest is known at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest.checksum import MODULUS, cell_sums, finish_hashes, total
from ingest.repeats import Repeats
from ingest.spool import spooling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from ingest.surveys import SharedTable

__all__ = ["HASH", "PACKET", "Stage"]

HASH = "row_hash"  # invisible last column of a shared table: the hash of all others
PACKET = "packet_candid"


class Stage:
    """The different rows that a tarball tells for a shared table, each with the largest packet that told it.

    Parameters
    ----------
    table
        Which shared table the rows are for.
    folder
        Where they wait.
    purpose
        What the names of their files begin with; two stages for one table need two purposes.
    """

    def __init__(self, table: SharedTable, folder: Path, purpose: str = "stage") -> None:
        self.columns = (*(name for name in table.columns if name != PACKET), PACKET, HASH)
        self._values = self.columns[:-2]
        self._name = f"{purpose}-{table.name}"
        self._folder = folder
        self._object = table.key[:1]
        self._repeats = Repeats(folder / f"{self._name}.rows")
        self._ends: list[int] = []  # number of rows up to the end of each file
        self._yielded = 0  # rows
        self._checksum = 0  # of these

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows: the table's columns, in any order of rows, keys repeating."""
        if frame.is_empty():
            return
        values = frame.select(self._values)
        objects = cell_sums(values.select(self._object))
        fresh = self._repeats.note(objects, cell_sums(values), frame[PACKET].to_numpy())
        if fresh.any():
            with spooling(self._folder):
                values.filter(pl.Series(fresh)).write_ipc(self._file(len(self._ends)))
            self._ends.append(self._repeats.count)

    def rows(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, with their packets and hashes: `columns`, in this order. No rows come after this."""
        first = 0
        for number, end in enumerate(self._ends):
            packets, hashes = self._largest(first, end)
            self._yielded, self._checksum = end, (self._checksum + total(hashes)) % MODULUS
            values = pl.read_ipc(self._file(number))
            yield values.with_columns(pl.Series(PACKET, packets), pl.Series(HASH, hashes))
            self._file(number).unlink()
            first = end

    def values(self, column: str) -> Iterator[pl.DataFrame]:
        """Yield one column of all rows, beside `rows` and before it."""
        for number in range(len(self._ends)):
            yield pl.read_ipc(self._file(number), columns=[column])

    def count(self) -> tuple[int, int]:
        """Return how many different rows were told, and their checksum, once `rows` has yielded them all.

        Raises
        ------
        RuntimeError
            If it has not.
        """
        if self._yielded != self._repeats.count:
            raise RuntimeError(
                f"the checksum is of {self._yielded} of {self._repeats.count} rows: take all `rows` first"
            )
        return self._yielded, self._checksum

    def _largest(self, first: int, end: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
        """Return the largest packet and the hash of each of these rows."""
        packets = self._repeats.packets(first, end)
        with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
            sums = self._repeats.words(first, end) + cell_sums(pl.DataFrame({PACKET: packets}))
        return packets, finish_hashes(sums)

    def _file(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number:06}.arrow"
