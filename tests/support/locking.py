"""Another connection to the server, which holds named locks and looks at who waits for them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alertdb.database import Account, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from alertdb.config import Config

PROCESSES = "information_schema.processlist"


@contextmanager
def another_connection(config: Config) -> Iterator[Connection]:
    """Give a connection of the administrator's, which commits each statement."""
    with connect(config, Account.ADMIN) as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def ask(connection: Connection, query: str) -> Any:
    """Return the one value that a SELECT gives."""
    return connection.exec_driver_sql(f"SELECT {query}").scalar()


@contextmanager
def held(connection: Connection, name: str) -> Iterator[int]:
    """Hold a lock that must be free; give the connection's number."""
    assert ask(connection, f"GET_LOCK('{name}', 0)") == 1
    try:
        yield ask(connection, "CONNECTION_ID()")
    finally:
        assert ask(connection, f"RELEASE_LOCK('{name}')") == 1


def is_waited_for(connection: Connection, name: str) -> bool:
    """Whether anybody waits for a named lock."""
    return bool(
        ask(connection, f"COUNT(*) FROM {PROCESSES} WHERE state = 'User lock' AND info LIKE '%GET_LOCK%{name}%'")
    )
