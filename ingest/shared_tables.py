"""Merging what a tarball's histories brought into the tables that all nights share.

Of several packets that tell the same row the one with the largest candid wins, so the tables do not depend on the
order of loading. The rows go through a temporary table: that is faster than replacing rows one by one, and only
there can the condition be said.

Each row carries the hash of its cells, and the server adds up those that come and those that go while it merges. So
what the table must hold is known at any time without reading it: see docs/decisions/verify.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest.checksum import MODULUS
from ingest.stage import HASH, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl
    from sqlalchemy import Connection

    from ingest.surveys import SharedTable

__all__ = ["Change", "delete_rows", "drop_arrived", "merge_rows", "merge_stage"]


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
    stage = Stage(connection, table, folder, purpose="restored")  # of a tarball whose successor has stages of its own
    for frame in frames:
        stage.add(frame)
    return merge_stage(connection, table, stage)


def merge_stage(connection: Connection, table: SharedTable, stage: Stage) -> Change:
    """Merge the rows of a stage into their table, and drop the stage."""
    stage.finish()
    connection.exec_driver_sql(
        "SET @came = CAST(0 AS DECIMAL(40)), @gone = CAST(0 AS DECIMAL(40)), @n_came = 0, @n_gone = 0"
    )
    connection.exec_driver_sql(_merge_statement(table, stage))
    row = connection.exec_driver_sql("SELECT @n_came - @n_gone AS n, CAST(@came - @gone AS DECIMAL(40)) AS total").one()
    stage.drop()
    return Change(int(row.n), int(row.total) % MODULUS)


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


def _merge_statement(table: SharedTable, stage: Stage) -> str:
    """Return the statement that merges, and adds up the hashes of the rows that come and of those that lose."""
    names = ", ".join(f"`{name}`" for name in (*table.columns, HASH))
    staged = {name: f"s.`{name}`" for name in table.columns}
    staged["packet_candid"] = "COALESCE(t.packet_candid, s.packet_candid)"
    arriving = f"COALESCE(t.{HASH}, s.{HASH})"
    # MariaDB assigns from left to right, so packet_candid, which decides, comes last.
    values = [name for name in table.columns if name not in (*table.key, "packet_candid")]
    wins = f"VALUES(packet_candid) > {table.name}.packet_candid"
    updates = [f"`{name}` = IF({wins}, VALUES(`{name}`), {table.name}.`{name}`)" for name in values]
    old, new = f"{table.name}.{HASH}", f"VALUES({HASH})"
    updates.append(f"{HASH} = IF({wins}, {_noting('gone', old, new)}, {_noting('gone', new, old)})")
    updates.append(f"packet_candid = GREATEST(VALUES(packet_candid), {table.name}.packet_candid)")
    where = "WHERE NOT EXISTS (SELECT 1 FROM alerts AS a WHERE a.candid = s.candid)" if table.until_alert else ""
    return (
        f"INSERT INTO {table.name} ({names}) "
        f"SELECT {', '.join(staged.values())}, {_noting('came', arriving, arriving)} "
        f"FROM {stage.rows} AS s LEFT JOIN {stage.packets} AS t USING (n) {where} "
        f"ON DUPLICATE KEY UPDATE {', '.join(updates)}"
    )


def _noting(counter: str, noted: str, value: str) -> str:
    """Return an expression that is `value` and adds `noted` to the server's variables of this counter."""
    added = f"(@{counter} := @{counter} + {noted}) + (@n_{counter} := @n_{counter} + 1)"
    return f"IF({added} IS NULL, 0, {value})"
