"""A person with an account of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mariadb

from alertdb.archive import Archive

if TYPE_CHECKING:
    from alertdb.config import Config


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
