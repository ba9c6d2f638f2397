"""Merging what a tarball's histories brought into the tables that all nights share.

Of several packets that tell the same row the one with the largest candid wins, so the tables do not depend on the
order of loading. The rows go through a temporary table: that is faster than replacing rows one by one, and only
there can the condition be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.load import load_csv
from ingest.spool import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from sqlalchemy import Connection

    from ingest.surveys import SharedTable

__all__ = ["drop_arrived", "merge_history", "merge_rows"]


def merge_rows(connection: Connection, table: SharedTable, frame: pl.DataFrame, folder: Path, known: str = "") -> None:
    """Merge rows, sorted by key and without repeats, into a shared table.

    Parameters
    ----------
    known
        A condition on the alias `s` that a row must meet.
    """
    path = folder / f"{table.name}.csv"
    write_csv(frame, path)
    stage = f"stage_{table.name}"
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {stage} ENGINE = Aria TRANSACTIONAL = 0 SELECT * FROM {table.name} LIMIT 0"
    )
    load_csv(connection, stage, table.columns, path, frame.height)
    connection.exec_driver_sql(_merge_statement(table, stage, known))
    connection.exec_driver_sql(f"DROP TEMPORARY TABLE {stage}")
    path.unlink()


def merge_history(connection: Connection, table: SharedTable, frame: pl.DataFrame, folder: Path) -> None:
    """Merge history detections, but those whose own alert is in the archive."""
    merge_rows(connection, table, frame, folder, "NOT EXISTS (SELECT 1 FROM alerts AS a WHERE a.candid = s.candid)")


def drop_arrived(connection: Connection, table: SharedTable, arrived: str) -> None:
    """Delete history detections whose candid stands in the table `arrived`: their alert has come."""
    connection.exec_driver_sql(
        f"DELETE p FROM {arrived} AS t STRAIGHT_JOIN {table.name} AS p FORCE INDEX (candid) ON p.candid = t.candid"
    )


def _merge_statement(table: SharedTable, stage: str, condition: str) -> str:
    names = ", ".join(f"`{name}`" for name in table.columns)
    selected = ", ".join(f"s.`{name}`" for name in table.columns)
    # MariaDB assigns from left to right, so packet_candid, which decides, comes last.
    values = [name for name in table.columns if name not in table.key]
    updates = ", ".join(
        f"`{name}` = IF(VALUES(packet_candid) > {table.name}.packet_candid, VALUES(`{name}`), {table.name}.`{name}`)"
        for name in values
    )
    where = f"WHERE {condition}" if condition else ""
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {selected} FROM {stage} AS s {where} "
        f"ON DUPLICATE KEY UPDATE {updates}"
    )
