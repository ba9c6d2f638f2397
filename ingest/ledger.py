"""The ledger: one row per tarball that is in, committed together with its rows; and the packets that were refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, Table, select, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = [
    "Entry",
    "Reject",
    "delete_entry",
    "find_entry",
    "find_entry_by_content",
    "list_entries",
    "record_change",
    "record_totals",
    "reject_rows",
    "tarball_id",
    "write_entry",
]


@dataclass(frozen=True)
class Reject:
    """A packet that was not loaded.

    Attributes
    ----------
    member
        Its name in the tarball.
    position
        Byte offset of the member's header in the unpacked tar.
    reason
        Why, in words.
    """

    member: str
    position: int
    reason: str


@dataclass(frozen=True)
class Entry:
    """What the ledger says first of a tarball that is in."""

    id: int
    name: str
    sha256: str
    bytes: int
    modified: Any
    state: str
    alerts: int
    loaded_at: Any


def tarball_id(name: str) -> int:
    """Return the id of a tarball: the first 63 bits of the SHA-256 of its file name.

    It depends on nothing but the name, so that archives filled in any order are equal.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def find_entry(connection: Connection, name: str) -> Entry | None:
    """Return the entry of the tarball of this name, or None."""
    return _find(connection, "name", name)


def find_entry_by_content(connection: Connection, sha256: str) -> Entry | None:
    """Return the entry of the tarball with this content, under whatever name it came, or None."""
    return _find(connection, "sha256", sha256)


def list_entries(connection: Connection) -> list[dict[str, Any]]:
    """Return all columns of the ledger, ordered by night and name."""
    table = _table(connection, "tarballs")
    rows = connection.execute(select(table).order_by(table.c.night, table.c.name)).mappings()
    return [dict(row) for row in rows]


def write_entry(connection: Connection, values: dict[str, Any], rejects: Sequence[Reject]) -> None:
    """Write a tarball's row and its rejects, within the transaction that holds its rows."""
    connection.execute(_table(connection, "tarballs").insert(), values)
    lines = reject_rows(values["id"], rejects)
    if lines:
        connection.execute(_table(connection, "rejects").insert(), lines)


def reject_rows(tarball: int, rejects: Sequence[Reject]) -> list[dict[str, Any]]:
    """Return rejects as rows of the table, texts cut to what fits."""
    return [
        {"tarball": tarball, "member": r.member[:512], "position": r.position, "reason": r.reason[:1024]}
        for r in rejects
    ]


def delete_entry(connection: Connection, tarball: int) -> None:
    """Delete a tarball's row and its rejects, within the transaction that deletes its rows."""
    connection.execute(text("DELETE FROM rejects WHERE tarball = :id"), {"id": tarball})
    connection.execute(text("DELETE FROM tarballs WHERE id = :id"), {"id": tarball})


def record_change(connection: Connection, table: str, rows: int, checksum: int) -> None:
    """Add to what a table that several tarballs fill must hold, within the transaction that changes it."""
    statement = text(
        "INSERT INTO table_checksums (name, row_count, checksum) VALUES (:name, :rows, :checksum) ON DUPLICATE KEY "
        f"UPDATE row_count = row_count + :rows, checksum = (CAST(checksum AS DECIMAL(30)) + :checksum) % {2**64}"
    )
    connection.execute(statement, {"name": table, "rows": rows, "checksum": checksum})


def record_totals(connection: Connection, table: str) -> bool:
    """Record what a table that several tarballs fill holds now as what it must hold; return whether that is news."""
    row = connection.exec_driver_sql(
        f"SELECT COUNT(*) AS n, COALESCE(SUM(row_hash), 0) % {2**64} AS checksum FROM {table}"
    ).one()
    before = connection.execute(
        text("SELECT row_count, checksum FROM table_checksums WHERE name = :name"), {"name": table}
    ).first()
    if (row.n, int(row.checksum)) == (tuple(before) if before else (0, 0)):
        return False
    connection.execute(text("DELETE FROM table_checksums WHERE name = :name"), {"name": table})
    record_change(connection, table, row.n, int(row.checksum))
    return True


def _find(connection: Connection, column: str, value: str) -> Entry | None:
    table = _table(connection, "tarballs")
    names = Entry.__dataclass_fields__
    row = connection.execute(select(*(table.c[name] for name in names)).where(table.c[column] == value)).first()
    return None if row is None else Entry(*row)


def _table(connection: Connection, name: str) -> Table:
    return Table(name, MetaData(), autoload_with=connection)
