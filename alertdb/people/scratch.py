"""A database of one's own beside the archive: tables to join with it, kept from one session to the next."""

from __future__ import annotations

import secrets
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import mariadb
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, database_url, explain_refusal, open_engine
from alertdb.mistakes import explain_mistake
from alertdb.parameters import bind
from alertdb.people.accounts import DATABASE
from alertdb.people.ended import explain_end
from alertdb.people.errors import NoScratch, ScratchFull, ScratchTableExists
from alertdb.people.names import person_of, scratch_name
from alertdb.people.uploading import check_name, definitions, rows, to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from alertdb.query import Reader

__all__ = ["Scratch"]

DENIED = 1142
TABLES = """
    SELECT table_name AS name, table_rows AS rows_about, (data_length + index_length) / 1e6 AS MB,
           create_time AS created
    FROM information_schema.tables WHERE table_schema = :name ORDER BY name"""
ACCOUNT = f"SELECT scratch_bytes, scratch_full, scratch_limit_bytes FROM {DATABASE}.my_account"


class Scratch:
    """The scratch database of the account in use.

    Parameters
    ----------
    reader
        Reads the archive through the same account.

    Raises
    ------
    NoScratch
        If the account has none.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        account = database_url(reader.config, Account.READER).username or ""
        person = person_of(account)
        if person is None:
            raise NoScratch(account)
        self.name = scratch_name(person)

    def upload(self, table: str, frame: Any, *, replace: bool = False) -> int:
        """Make a table of a data frame and return the number of its rows.

        Parameters
        ----------
        table
            Name of the table; in SQL it is ``my_<id>.<table>``, see `name`.
        frame
            A pandas or polars frame, an astropy or Arrow table, or a mapping of names to columns.
        replace
            Whether to replace a table of that name.

        Raises
        ------
        ScratchTableExists, ScratchNameUnusable, ColumnUnusable
            If the table is there, or cannot be made as it is.
        ScratchFull
            If the database is over its limit.
        """
        arrow = to_arrow(frame)
        places = ", ".join("?" * arrow.num_columns)

        def fill(cursor: Any, unfinished: str) -> None:
            cursor.execute(f"CREATE TABLE `{unfinished}` ({definitions(arrow)}) ENGINE = InnoDB")
            for part in rows(arrow):
                cursor.executemany(f"INSERT INTO `{unfinished}` VALUES ({places})", part)

        return self._make(table, fill, replace=replace)

    def save(self, table: str, query: str, *, replace: bool = False, **parameters: Any) -> int:
        """Make a table of what a query returns, on the server, and return the number of its rows.

        The query names tables of the archive as in `Archive.sql`; its values stand in it as ``:name``.
        """
        statement = bind(query.strip().rstrip(";"), parameters)
        database = self._reader.database

        def fill(cursor: Any, unfinished: str) -> None:
            cursor.execute(f"USE `{database}`")
            cursor.execute(f"CREATE TABLE `{self.name}`.`{unfinished}` ENGINE = InnoDB AS {statement}")
            cursor.execute(f"USE `{self.name}`")

        return self._make(table, fill, replace=replace, statement=query)

    def run(self, statement: str, **parameters: Any) -> int:
        """Run a statement that changes the scratch database, and return how many rows it changed.

        Tables without a database are those of the scratch database; those of the archive are ``ztf_public.alerts``.
        """
        with self._cursor(statement) as cursor:
            cursor.execute(bind(statement, parameters))
            return max(int(cursor.rowcount), 0)

    def drop(self, table: str) -> None:
        """Drop a table, which makes room at once."""
        with self._cursor(f"DROP TABLE {table}") as cursor:
            cursor.execute(f"DROP TABLE `{check_name('table', table)}`")

    def tables(self) -> pd.DataFrame:
        """Return the tables with their sizes: name, rows_about (an estimate of the server's), MB, created (UTC)."""
        from alertdb.frames import to_frame

        return to_frame(self._reader.query(TABLES, {"name": self.name}))

    def __repr__(self) -> str:
        [account] = self._reader.query(ACCOUNT).to_pylist()
        closed = ", over its limit: to read and delete only" if account["scratch_full"] else ""
        size, limit = account["scratch_bytes"] / 1e9, account["scratch_limit_bytes"] / 1e9
        return f"<Scratch {self.name}: {size:.2f} of {limit:.2f} GB{closed}>"

    def _make(self, table: str, fill: Any, *, replace: bool, statement: str = "") -> int:
        """Fill a table under another name, then give it its own: a table is there as a whole or not at all."""
        check_name("table", table)
        unfinished = f"unfinished_{secrets.token_hex(8)}"
        with self._cursor(statement) as cursor:
            if not replace and self._exists(cursor, table):
                raise ScratchTableExists(f"{self.name}.{table}")
            try:
                fill(cursor, unfinished)
                if replace:
                    cursor.execute(f"DROP TABLE IF EXISTS `{table}`")
                cursor.execute(f"RENAME TABLE `{unfinished}` TO `{table}`")
            except BaseException:
                self._give_up(unfinished)
                raise
            cursor.execute(f"SELECT COUNT(*) FROM `{table}`")
            return int(cursor.fetchone()[0])

    def _exists(self, cursor: Any, table: str) -> bool:
        cursor.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
                       (self.name, table))  # fmt: skip
        return bool(cursor.fetchone()[0])

    def _give_up(self, unfinished: str) -> None:
        """Drop what was half made, over a new connection: the other may be gone."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS `{self.name}`.`{unfinished}`")

    @contextmanager
    def _cursor(self, statement: str) -> Iterator[Any]:
        """Open a connection for one piece of work, and say in our words what goes wrong."""
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                yield cursor
        except mariadb.Error as error:
            raise self._explain(error, statement, connection.connection_id) from error
        finally:
            connection.close()

    def _connect(self) -> Any:
        config = self._reader.config
        try:
            pooled = open_engine(config, Account.READER, self.name).raw_connection()
        except DBAPIError as error:
            raise explain_refusal(config, Account.READER, error.orig) from error
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.autocommit = True
        return connection

    def _explain(self, error: mariadb.Error, statement: str, connection: int) -> Exception:
        if getattr(error, "errno", None) == DENIED:
            [account] = self._reader.query(ACCOUNT).to_pylist()
            if account["scratch_full"]:
                return ScratchFull(self.name, account["scratch_bytes"], account["scratch_limit_bytes"])
        ended = explain_end(error, connection, self._look_up)
        return ended or explain_mistake(error, statement, self._look_up)

    def _look_up(self, statement: str) -> Sequence[tuple[Any, ...]]:
        table = self._reader.query(statement)
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))
