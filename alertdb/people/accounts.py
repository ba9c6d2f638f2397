"""Accounts of people: opened when a server of theirs starts, locked when it stops."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from alertdb.database import Account, connect
from alertdb.people.names import account_name, scratch_name
from alertdb.schema import password_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from alertdb.config import Config

__all__ = ["DATABASE", "Person", "close_account", "list_people", "note_leaving", "open_account"]

DATABASE = "alertdb_people"


@dataclass(frozen=True)
class Person:
    """A person with an account.

    Attributes
    ----------
    id, login
        At GitHub.
    partnership
        Whether the account reads partnership alerts.
    opened_at, closed_at
        When the account was last opened, and when it was locked since (UTC); None while it is open.
    left_at
        When the hub was first seen without this person (UTC), or None.
    scratch_limit
        Largest size of the scratch database in MB, or None for that of all.
    scratch_bytes, scratch_full
        What it holds, and whether that is over the limit, as of the watchdog's last look.
    """

    id: int
    login: str
    partnership: bool
    opened_at: datetime
    closed_at: datetime | None
    left_at: datetime | None
    scratch_limit: int | None
    scratch_bytes: int
    scratch_full: bool

    @property
    def account(self) -> str:
        """Name of the account."""
        return account_name(self.id)

    @property
    def scratch(self) -> str:
        """Name of the scratch database."""
        return scratch_name(self.id)

    @property
    def is_open(self) -> bool:
        """Whether the account can be logged in with."""
        return self.closed_at is None


def open_account(config: Config, person: int, login: str, *, partnership: bool) -> str:
    """Open a person's account with a new password, made with scratch database and rights if it is not there.

    Returns
    -------
    str
        The password. It is kept nowhere: the server gets a hash of it.
    """
    password = secrets.token_urlsafe(32)
    call = "CALL open_account(:person, :login, :partnership, :hash)"
    _call(
        config, call, person=person, login=login[:64], partnership=partnership, hash=password_hash(password)
    )  # fmt: skip
    return password


def close_account(config: Config, person: int) -> None:
    """Lock a person's account and end its connections; does no harm to one that is locked or not there."""
    _call(config, "CALL close_account(:person)", person=person)


def note_leaving(config: Config, person: int) -> None:
    """Lock the account of a person whom the hub knows no more, and note that."""
    _call(config, "CALL note_leaving(:person)", person=person)


def list_people(config: Config, account: Account = Account.HUB) -> list[Person]:
    """Return all who have an account, by id."""
    with connect(config, account, DATABASE) as connection:
        rows = connection.execute(text("SELECT * FROM people ORDER BY id")).mappings()
        return [_person(row) for row in rows]


def _person(row: Mapping[Any, Any]) -> Person:
    return Person(**{**row, "partnership": bool(row["partnership"]), "scratch_full": bool(row["scratch_full"])})


def _call(config: Config, statement: str, **values: object) -> None:
    with connect(config, Account.HUB, DATABASE) as connection:
        connection.execute(text(statement), values)
        connection.commit()
