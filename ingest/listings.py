"""The ledger and the rejects as tables for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import text

from alertdb.database import Account, connect, named_database
from alertdb.errors import UnknownTarball
from ingest.ledger import find_entry, list_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alertdb.config import Config

__all__ = ["damages", "ledger_table", "rejects_table", "short_ledger_table"]

SHORT = ("night", "name", "state", "alerts", "duplicates", "objects", "limits", "rejects", "loaded_at")


def ledger_table(config: Config) -> pa.Table:
    """Return all columns of the ledger, one row per tarball, ordered by night and name; very long sums as text."""
    return _table(_entries(config))


def short_ledger_table(config: Config) -> pa.Table:
    """Return the columns of the ledger that people look at first."""
    short = [{name: row[name] for name in SHORT} for row in _entries(config)]
    for row in short:
        row["loaded_at"] = f"{row['loaded_at']:%Y-%m-%d %H:%M}"
    return _table(short, SHORT)


def damages(config: Config) -> dict[str, str]:
    """Return what is wrong with each tarball that is in only partly, by name."""
    return {row["name"]: row["damage"] for row in _entries(config) if row["damage"]}


def rejects_table(config: Config, tarball: str | None) -> pa.Table:
    """Return the rejects of one tarball or all: tarball, member, position (byte in the unpacked tar), reason.

    Raises
    ------
    UnknownTarball
        If no tarball of this name is in the ledger.
    """
    query = (
        "SELECT t.name AS tarball, r.member, r.position, r.reason "
        "FROM rejects AS r JOIN tarballs AS t ON t.id = r.tarball "
        "WHERE :name IS NULL OR t.name = :name ORDER BY t.name, r.position, r.member"
    )
    with connect(config, Account.READER, named_database(config)) as connection:
        if tarball is not None and find_entry(connection, tarball) is None:
            raise UnknownTarball(tarball, [row["name"] for row in list_entries(connection)])
        rows = connection.execute(text(query), {"name": tarball}).mappings().all()
    return _table([dict(row) for row in rows], ["tarball", "member", "position", "reason"])


def _entries(config: Config) -> list[dict[str, Any]]:
    with connect(config, Account.READER, named_database(config)) as connection:
        return list_entries(connection)


def _table(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> pa.Table:
    """Build a table; with no rows it has the named columns all the same."""
    if not rows:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return pa.table({name: _column([row[name] for row in rows]) for name in rows[0]})


def _column(values: list[Any]) -> pa.Array[Any]:
    """Return a typed column; integers that 64 signed bits do not hold become text."""
    column: pa.Array[Any]
    try:
        column = pa.array(values)
    except (OverflowError, pa.ArrowInvalid):
        column = pa.array([None if value is None else str(value) for value in values])
    return column
