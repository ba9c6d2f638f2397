"""Rows of one tarball for a shared table, waiting in the server until the tarball is read to its end.

Loading takes the server longer than merging, so it is done while the tarball is still being read. A row that many
packets tell is loaded once, when the first of them comes; which packet is the largest is known at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest.checksum import cell_sums, finish_hashes, total
from ingest.load import load_csv
from ingest.repeats import Repeats
from ingest.spool import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from sqlalchemy import Connection

    from ingest.surveys import SharedTable

__all__ = ["HASH", "Stage"]

HASH = "row_hash"  # invisible last column of a shared table: the hash of all others
PACKET = "packet_candid"
TEMPORARY = "ENGINE = Aria TRANSACTIONAL = 0"


class Stage:
    """Two temporary tables: the rows, and the packets of those that a larger packet told again.

    Parameters
    ----------
    connection
        The loader's connection; the tables live as long as it does, or until `drop`.
    table
        Which shared table the rows are for.
    folder
        Where CSV files go.
    purpose
        What the tables' names begin with; two stages for one table need two purposes.
    """

    def __init__(self, connection: Connection, table: SharedTable, folder: Path, purpose: str = "stage") -> None:
        self._connection = connection
        self._table = table
        self._folder = folder
        self._repeats = Repeats()
        self._values = [name for name in table.columns if name != PACKET]
        self.rows, self.packets = f"{purpose}_{table.name}", f"{purpose}_{table.name}_packets"
        names = ", ".join(f"`{name}`" for name in self._columns)
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {self.rows} {TEMPORARY} SELECT 0 AS n, {names} FROM {table.name} LIMIT 0"
        )
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {self.packets} (n INT NOT NULL PRIMARY KEY, {PACKET} BIGINT NOT NULL, "
            f"{HASH} BIGINT UNSIGNED NOT NULL) {TEMPORARY}"
        )

    @property
    def _columns(self) -> tuple[str, ...]:
        return (*self._table.columns, HASH)

    def add(self, frame: pl.DataFrame) -> None:
        """Take rows: the table's columns, in any order of rows, keys repeating."""
        sums = cell_sums(frame.select(self._values))
        first = self._repeats.count
        fresh = self._repeats.note(sums, frame[PACKET].to_numpy())
        rows = frame.filter(pl.Series(fresh))
        hashes = self._hashes(sums[fresh], rows[PACKET])
        rows = rows.with_columns(pl.Series(HASH, hashes), n=pl.int_range(first, self._repeats.count, dtype=pl.Int32))
        self._load(self.rows, rows.select("n", *self._columns))

    def finish(self) -> None:
        """Load which packets are the largest; no rows come after this."""
        grown = self._repeats.grown()
        packets = pl.Series(PACKET, self._repeats.packets()[grown])
        hashes = self._hashes(self._repeats.words()[grown], packets)
        self._load(self.packets, pl.DataFrame([pl.Series("n", grown), packets, pl.Series(HASH, hashes)]))

    def count(self) -> tuple[int, int]:
        """Return how many different rows were told, and their checksum with the largest packet of each."""
        packets = pl.Series(PACKET, self._repeats.packets())
        return self._repeats.count, total(self._hashes(self._repeats.words(), packets))

    def drop(self) -> None:
        """Drop the tables."""
        self._connection.exec_driver_sql(f"DROP TEMPORARY TABLE {self.rows}, {self.packets}")

    def _hashes(self, sums: npt.NDArray[np.uint64], packets: pl.Series) -> npt.NDArray[np.uint64]:
        with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
            return finish_hashes(sums + cell_sums(packets.to_frame()))

    def _load(self, name: str, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        path = self._folder / f"{name}.csv"
        write_csv(frame, path)
        load_csv(self._connection, name, frame.columns, path, frame.height)
        path.unlink()
