"""Connections to the archive's MariaDB, each with the account that its task needs and no more.

Accounts: ``admin`` makes tables and accounts, ``loader`` fills them, ``reader`` reads, ``hub`` opens and closes the
accounts of people, ``watchdog`` ends what goes over a limit. `alertdb init` makes all but the first and keeps their
passwords in ``home/secrets``; a database URL with an account of its own is used as it is where no such secret exists.
"""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import mariadb
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from alertdb.errors import ArchiveMissing, ServerRefused, ServerStopped, UnsupportedUrl
from alertdb.people.errors import AccountLocked, TooManyConnections
from alertdb.server import REFUSED, PrivateServer

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from alertdb.config import Config

__all__ = [
    "DENIED",
    "SURVEY",
    "Account",
    "connect",
    "create_password",
    "database_url",
    "named_database",
    "open_engine",
    "read_password",
]

SURVEY = "ztf"  # the database that is meant where none is named
DRIVER = "mariadb+mariadbconnector"
CONNECT_SECONDS = 20
LOCKED, TOO_MANY = 4151, 1226
DENIED = (1044, 1142, 1143, 1227, 1370, 1410)  # the account may not do that
# The archive has no foreign keys; one that a person points at it from a scratch table must not stop a load.
NO_FOREIGN_KEYS = "SET SESSION foreign_key_checks = OFF"


class Account(StrEnum):
    """What an account of the archive is for; its name on the server is ``alertdb_<value>`` (admin: root)."""

    ADMIN = "admin"
    LOADER = "loader"
    READER = "reader"
    HUB = "hub"
    WATCHDOG = "watchdog"

    @property
    def user(self) -> str:
        """Name of the account on a server that `alertdb init` set up."""
        return "root" if self is Account.ADMIN else f"alertdb_{self.value}"


def database_url(config: Config, account: Account, database: str | None = None) -> URL:
    """Return the SQLAlchemy URL under which `account` reaches the archive's server.

    Raises
    ------
    UnsupportedUrl
        If the configured URL is none of MariaDB.
    """
    if config.database_url is None:
        server = PrivateServer(config.home)
        url = URL.create(DRIVER, query={"unix_socket": str(server.socket)})
    else:
        url = _parse_url(config.database_url)
    password = None if config.account_of_url else read_password(config.secrets, account)
    if password is not None:
        url = url.set(username=account.user, password=password)
    elif url.username is None and config.database_url is None:
        url = url.set(username=account.user)
    return url.set(database=database)


def named_database(config: Config) -> str:
    """Return the database that who reads is told of: the URL's, such as ``ztf_public``, else the survey."""
    try:
        named = make_url(config.database_url).database if config.database_url else None
    except ArgumentError:  # that it is no URL is said when it is used
        named = None
    return named or SURVEY


def open_engine(config: Config, account: Account, database: str | None = SURVEY) -> Engine:
    """Return an engine; nothing is connected yet. Reads see what is committed, and never block a load."""
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "local_infile": False}
    if account in (Account.LOADER, Account.ADMIN):
        arguments["init_command"] = NO_FOREIGN_KEYS
    return create_engine(
        database_url(config, account, database),
        isolation_level="READ COMMITTED",
        connect_args=arguments,
        poolclass=NullPool,  # a connection may hold named locks and temporary tables: it is never handed on
        pool_reset_on_return=None,  # closing rolls back; resetting one that is lost would print a traceback
    )


def connect(config: Config, account: Account, database: str | None = SURVEY) -> Connection:
    """Open a connection.

    Raises
    ------
    ArchiveMissing
        If the home holds no archive and no server is named.
    ServerStopped
        If no server answers.
    ServerRefused
        If it does not let the account in.
    """
    engine = open_engine(config, account, database)
    try:
        return engine.connect()
    except DBAPIError as error:
        raise explain_refusal(config, account, error.orig) from error
    except mariadb.Error as error:
        raise explain_refusal(config, account, error) from error


def explain_refusal(config: Config, account: Account, error: BaseException | None) -> Exception:
    """Turn a driver's error on connecting into one of ours."""
    url = database_url(config, account)
    where = str(url.query.get("unix_socket") or f"{url.host or 'localhost'}:{url.port or 3306}")
    number = getattr(error, "errno", None)
    if number == LOCKED:
        return AccountLocked(url.username or "")
    if number == TOO_MANY:
        return TooManyConnections(url.username or "", str(error))
    if number in (*REFUSED, *DENIED, 1049):
        return ServerRefused(where, url.username or "", str(error))
    if config.database_url is not None:
        return ServerStopped(where, "Is the server up, and ALERTDB_DATABASE_URL right?")
    if not PrivateServer(config.home).exists:
        return ArchiveMissing(config.home)
    return ServerStopped(where, "Start it with 'alertdb start'.")


def read_password(folder: Path, account: Account) -> str | None:
    """Return the account's password, or None where this user has none."""
    try:
        return (folder / account.value).read_text(encoding="ascii").strip()
    except (FileNotFoundError, PermissionError):
        return None


def create_password(folder: Path, account: Account) -> str:
    """Make a password for the account and keep it in a file that only its owner reads."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = secrets.token_urlsafe(24)
    unfinished = folder / f".{account.value}"
    with open(unfinished, "w", opener=_open_private, encoding="ascii") as file:
        file.write(password + "\n")
        os.fsync(file.fileno())
    unfinished.rename(folder / account.value)
    return password


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _parse_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UnsupportedUrl(_without_password(text)) from error
    if url.get_backend_name() not in ("mariadb", "mysql"):
        raise UnsupportedUrl(_without_password(text))
    return url.set(drivername=DRIVER)


def _without_password(text: str) -> str:
    """Return what is safe to show of a URL that may not even be one."""
    before, at, after = text.rpartition("@")
    return f"…@{after}" if at else text if before == "" else "…"
