"""Merging what a tarball's histories brought into the tables that all nights share.

Of several packets that tell the same row the one with the largest candid wins, so the tables do not depend on the
order of loading.

Each row carries the hash of its cells. What comes is added up here, what goes by the server while it merges. So what
the table must hold is known at any time without reading it: see docs/decisions/verify.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.checksum import MODULUS, total
from ingest.load import insert_rows
from ingest.stage import HASH, PACKET, Stage
from ingest.stored import read_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import polars as pl
    from sqlalchemy import Connection

    from ingest.reading_ahead import ReadAhead
    from ingest.surveys import SharedTable

__all__ = ["Change", "delete_rows", "drop_arrived", "merge_rows", "merge_stage"]

TEMPORARY = "ENGINE = Aria TRANSACTIONAL = 0"


@dataclass(frozen=True)
class Change:
    """By how much a table's number of rows and its checksum (modulo 2^64) grew."""

    rows: int = 0
    checksum: int = 0

    def __add__(self, other: Change) -> Change:
        return Change(self.rows + other.rows, (self.checksum + other.checksum) % MODULUS)

    def __neg__(self) -> Change:
        return Change(-self.rows, -self.checksum % MODULUS)


def merge_rows(connection: Connection, table: SharedTable, frames: Iterable[pl.DataFrame], folder: Path) -> Change:
    """Merge rows of the table's columns into it; see `merge_stage`."""
    stage = Stage(table, folder, purpose="restored")  # of a tarball whose successor has stages of its own
    for frame in frames:
        stage.add(frame)
    return merge_stage(connection, table, stage)


def merge_stage(connection: Connection, table: SharedTable, stage: Stage, ahead: ReadAhead | None = None) -> Change:
    """Merge the rows of a stage into their table."""
    coming = _Coming()
    frames = stage.rows()
    if ahead is not None:
        frames = ahead.before(frames, lambda frame: _places(table, frame))
    if table.until_alert:
        arrived = _find_arrived(connection, stage)
        frames = (frame.join(arrived, on="candid", how="anti") for frame in frames)
    connection.exec_driver_sql("SET @gone = CAST(0 AS DECIMAL(40)), @n_gone = 0")
    insert_rows(connection, table.name, stage.columns, coming.counted(frames), _on_duplicate_key(table, stage))
    row = connection.exec_driver_sql("SELECT @n_gone AS n, CAST(@gone AS DECIMAL(40)) AS total").one()
    return coming.change + -Change(int(row.n), int(row.total) % MODULUS)


def _places(table: SharedTable, frame: pl.DataFrame) -> Iterator[str]:
    """Return the query that reads where rows belong: behind older ones of their objects, since keys grow with time."""
    if frame.height:
        when = table.key[1]
        yield f"SELECT COUNT(*) FROM {table.name} WHERE objectId IN ({{}}) AND {when} >= {frame[when].min()!r}"


class _Coming:
    """What the rows that pass add up to."""

    def __init__(self) -> None:
        self.change = Change()

    def counted(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in frames:
            self.change += Change(frame.height, total(frame[HASH].to_numpy()))
            yield frame


def _find_arrived(connection: Connection, stage: Stage) -> pl.DataFrame:
    """Return those candids of a stage's rows whose alert is in the archive."""
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE told (candid BIGINT NOT NULL) {TEMPORARY}")
    insert_rows(connection, "told", ["candid"], stage.values("candid"))
    arrived = read_frame(connection, "SELECT t.candid FROM told AS t STRAIGHT_JOIN alerts AS a ON a.candid = t.candid")
    connection.exec_driver_sql("DROP TEMPORARY TABLE told")
    return arrived


def drop_arrived(connection: Connection, table: SharedTable, arrived: str) -> Change:
    """Delete history detections whose candid stands in the table `arrived`: their alert has come."""
    return delete_rows(
        connection, f"FROM {arrived} AS t STRAIGHT_JOIN {table.name} AS p FORCE INDEX (candid) ON p.candid = t.candid"
    )


def delete_rows(connection: Connection, rows: str) -> Change:
    """Delete rows of a shared table: those with the alias `p` in `rows`, what follows SELECT from FROM on."""
    row = connection.exec_driver_sql(f"SELECT COUNT(*) AS n, COALESCE(SUM(p.{HASH}), 0) AS total {rows}").one()
    if row.n:
        connection.exec_driver_sql(f"DELETE p {rows}")
    return -Change(row.n, int(row.total) % MODULUS)


def _on_duplicate_key(table: SharedTable, stage: Stage) -> str:
    """Return what becomes of a row whose key is there already: the larger packet wins, the other's hash is added up."""
    # MariaDB assigns from left to right, so packet_candid, which decides, comes last.
    values = [name for name in stage.columns if name not in (*table.key, PACKET, HASH)]
    wins = f"VALUES({PACKET}) > {table.name}.{PACKET}"
    updates = [f"`{name}` = IF({wins}, VALUES(`{name}`), {table.name}.`{name}`)" for name in values]
    old, new = f"{table.name}.{HASH}", f"VALUES({HASH})"
    updates.append(f"{HASH} = IF({wins}, {_noting(old, new)}, {_noting(new, old)})")
    updates.append(f"{PACKET} = GREATEST(VALUES({PACKET}), {table.name}.{PACKET})")
    return f"ON DUPLICATE KEY UPDATE {', '.join(updates)}"


def _noting(gone: str, value: str) -> str:
    """Return an expression that is `value` and adds `gone` to what the server's variables have of losing rows."""
    return f"IF((@gone := @gone + {gone}) + (@n_gone := @n_gone + 1) IS NULL, 0, {value})"
