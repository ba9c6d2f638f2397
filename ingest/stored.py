"""Reading rows back exactly as they are stored, in pieces that fit into memory."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from alertdb.columns import declared_columns, to_table
from alertdb.database import Account, connect
from ingest.load import link_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from sqlalchemy import Connection

    from alertdb.columns import Column
    from alertdb.config import Config
    from alertdb.wire.link import Link
    from ingest.surveys import SharedTable

__all__ = ["column_list", "listed", "read_frame", "read_pages", "read_shared_pages", "snapshot"]

PAGE_ROWS = 20_000


@contextmanager
def snapshot(config: Config, survey: str) -> Iterator[Connection]:
    """Give a reading connection that sees all tables as they are now, whatever is loaded meanwhile."""
    with connect(config, Account.READER, survey) as connection:
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield connection


def read_frame(connection: Connection, query: str) -> pl.DataFrame:
    """Run a query through the binary protocol, in which floats are exact, and return all its rows."""
    link = link_of(connection)
    table = _read_by_driver(connection, query) if link is None else _read_by_link(link, query)
    return pl.DataFrame(pl.from_arrow(table))


def _read_by_link(link: Link, query: str) -> pa.Table:
    layout, batches = link.run(query)
    return to_table(layout.columns, list(batches))


def _read_by_driver(connection: Connection, query: str) -> pa.Table:
    with closing(connection.connection.cursor(binary=True, buffered=True)) as cursor:
        cursor.execute(query)
        columns = declared_columns(cursor.metadata)
        pages = iter(lambda: cursor.fetchmany(PAGE_ROWS), [])
        return to_table(columns, [_arrays(columns, page) for page in pages])


def _arrays(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> list[pa.Array[Any]]:
    """Return rows as an array per column."""
    return [column.from_values(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]


def read_pages(connection: Connection, table: str, columns: Sequence[str], key: str) -> Iterator[pl.DataFrame]:
    """Yield all rows of a table in the order of its key, an integer column."""
    query = f"SELECT {column_list(columns)} FROM {table} {{}} ORDER BY {key} LIMIT {PAGE_ROWS}"
    page = read_frame(connection, query.format(""))
    while page.height:
        yield page
        page = read_frame(connection, query.format(f"WHERE {key} > {page[key][-1]}"))


def read_shared_pages(connection: Connection, table: SharedTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield all rows of a shared table, all of an object together."""
    last = ""
    while True:
        step = (
            f"SELECT objectId FROM {table.name} WHERE objectId > {quoted(last)} ORDER BY objectId LIMIT {PAGE_ROWS}, 1"
        )
        end = connection.exec_driver_sql(step).scalar()
        until = f"AND objectId <= {quoted(end)}" if end is not None else ""
        page = read_frame(
            connection,
            f"SELECT {column_list(columns)} FROM {table.name} WHERE objectId > {quoted(last)} {until}",
        )
        yield page
        if end is None:
            return
        last = end


def column_list(columns: Iterable[str], alias: str = "") -> str:
    """Return columns as they stand in a SELECT."""
    return ", ".join(f"{alias}`{name}`" for name in columns)


def listed(values: Iterable[object]) -> str:
    """Return values as they stand in ``IN (…)``; never empty."""
    return ", ".join(quoted(value) for value in values) or "NULL"


def quoted(value: object) -> str:
    """Return a text or an integer as SQL."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"
    return str(value)
