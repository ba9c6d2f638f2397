"""Having the server read pages from the disk before a statement comes to them.

What a night brings belongs on a page of its own for nearly each object, in each table. Where the tables are larger than
the server's memory most of these pages must come from the disk, and a statement that goes from row to row waits for
each of them. So other connections ask for the same places a little earlier, several at a time.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import mariadb
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, connect
from alertdb.errors import AlertdbError
from ingest.stored import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    import polars as pl
    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = ["ReadAhead"]

CONNECTIONS = 8
FRAMES = 2  # whose places are read while those before them are worked at
LARGER_THAN_MEMORY = text(
    "SELECT SUM(data_length + index_length) > @@innodb_buffer_pool_size FROM information_schema.tables "
    "WHERE table_schema = :survey AND engine = 'InnoDB'"
)


class ReadAhead:
    """Connections that have pages read, where not all fit into the server's memory. A context manager.

    What they find is of no interest, nor what fails: the statement that follows will meet it, and say so.

    Parameters
    ----------
    connection
        A connection to the same server, to ask it whether the survey's tables are larger than its memory.
    """

    def __init__(self, config: Config, survey: str, connection: Connection) -> None:
        self._config = config
        self._survey = survey
        self._needed = bool(connection.execute(LARGER_THAN_MEMORY, {"survey": survey}).scalar())
        self._threads = ThreadPoolExecutor(CONNECTIONS, "ahead")
        self._own = threading.local()
        self._connections: list[Connection] = []

    def before(
        self, frames: Iterable[pl.DataFrame], queries: Callable[[pl.DataFrame], Iterable[str]]
    ) -> Iterator[pl.DataFrame]:
        """Yield frames that have a column `objectId`; the places of each are read by then.

        Parameters
        ----------
        queries
            Returns for a frame the queries that read its places, with ``{}`` where the names of objects stand.
        """
        if not self._needed:
            yield from frames
            return
        waiting: deque[tuple[pl.DataFrame, list[Future[None]]]] = deque()
        for frame in frames:
            waiting.append((frame, self._submit(frame, queries(frame))))
            if len(waiting) > FRAMES:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)

    def _submit(self, frame: pl.DataFrame, queries: Iterable[str]) -> list[Future[None]]:
        objects = frame["objectId"].unique().sort().to_list()
        parts = [listed(objects[start::CONNECTIONS]) for start in range(CONNECTIONS)]
        return [self._threads.submit(self._run, query.format(part)) for query in queries for part in parts]

    def _run(self, query: str) -> None:
        with suppress(AlertdbError, DBAPIError, mariadb.Error):
            if not hasattr(self._own, "connection"):
                self._own.connection = connect(self._config, Account.LOADER, self._survey)
                self._connections.append(self._own.connection)
            self._own.connection.exec_driver_sql(query).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        for connection in self._connections:
            connection.close()


def _first(waiting: deque[tuple[pl.DataFrame, list[Future[None]]]]) -> pl.DataFrame:
    frame, reading = waiting.popleft()
    for future in reading:
        future.result()
    return frame
