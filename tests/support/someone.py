"""A person with an account of the database, and what becomes of their connections."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mariadb

from alertdb.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from alertdb.config import Config

PATIENCE = 60.0  # only a failure waits for it
BACK = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"


@dataclass
class Someone:
    """A person who is in, with what the hub told their server."""

    id: int
    password: str
    socket: str
    config: Config
    database: str

    @property
    def account(self) -> str:
        return f"gh{self.id}"

    @property
    def scratch(self) -> str:
        return f"my_{self.id}"

    def connect(self, **options: Any) -> Any:
        """Connect past our library, as anybody could."""
        return mariadb.connect(
            unix_socket=self.socket, user=self.account, password=self.password, autocommit=True, **options
        )

    def archive(self) -> Archive:
        return Archive(self.config, self.database)


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)  # who asks within 0.1 s for transactions and locks is shown the list of before


def is_gone(connection: Any) -> bool:
    try:
        connection.cursor().execute("SELECT 1")
    except mariadb.Error:
        return True
    return False
