"""Databases, tables, views and accounts: brings a server to what the files under `sql/` say, every time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import mariadb
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alertdb.database import SURVEY, Account, connect, create_password, read_password
from alertdb.errors import SchemaChanged, SchemaNewer, SchemaOlder, ServerRefused, SummaryOlder
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = [
    "SummaryColumn",
    "check_schema",
    "ensure_schema",
    "password_hash",
    "public_database",
    "read_sql",
    "summary_columns",
    "summary_ddl",
]

WITH_PASSWORD = (Account.LOADER, Account.READER, Account.HUB, Account.WATCHDOG)
DONE_ALREADY = (1050, 1060, 1061, 1091)  # the table, column or key is there, or is gone
SUMMARY_LINE = re.compile(r"(?P<expression>.+?)\s+AS\s+(?P<name>\w+)\s+(?P<definition>[A-Z]+\b.*)")


@dataclass(frozen=True)
class SummaryColumn:
    """A column of the summary: the SQL that computes it, its name, and its definition (type, null rule, COMMENT)."""

    expression: str
    name: str
    definition: str


def public_database(survey: str) -> str:
    """Name of the database that shows what is public of a survey."""
    return f"{survey}_public"


def ensure_schema(config: Config, survey: str = SURVEY) -> None:
    """Create or complete the survey's databases, tables, views and accounts; needs the admin account.

    Raises
    ------
    SchemaChanged
        If a schema file that was applied before has changed since.
    """
    _ensure_admin_password(config)
    with connect(config, Account.ADMIN, database=None) as connection:
        _run(connection, read_sql("databases.sql").format(survey=survey))
        connection.exec_driver_sql(f"USE {survey}")
        _apply_changes(connection)
        for database in (survey, public_database(survey)):
            connection.exec_driver_sql(f"USE {database}")
            connection.exec_driver_sql(summary_ddl("summary"))
        _run(connection, read_sql("grants.sql").format(survey=survey))
        _ensure_views(connection, survey)
        _ensure_people(connection, survey)
        for account in WITH_PASSWORD:
            _set_password(connection, config, account)


def check_schema(connection: Connection, survey: str) -> None:
    """Refuse to change an archive whose tables are not as this version's SQL files make them.

    Raises
    ------
    SchemaOlder, SummaryOlder
        If the archive has yet to be upgraded.
    SchemaNewer
        If a later version has upgraded it.
    SchemaChanged
        If a file that was applied reads differently now.
    """
    known, ours = _applied_changes(connection), {path.name: _digest(path) for path in _sorted("schema")}
    if missing := sorted(ours.keys() - known.keys()):
        raise SchemaOlder(missing)
    if unknown := sorted(known.keys() - ours.keys()):
        raise SchemaNewer(unknown)
    for name in (name for name, digest in ours.items() if known[name] != digest):
        raise SchemaChanged(name)
    wanted = {column.name for column in summary_columns()}
    for database in (survey, public_database(survey)):
        found = {row[0] for row in connection.exec_driver_sql(f"SHOW COLUMNS FROM {database}.summary")}
        if missing := sorted(wanted - found):
            raise SummaryOlder(database, missing)


def summary_columns() -> list[SummaryColumn]:
    """Return the columns of the summary, in order, as the files under `sql/summary/columns` define them."""
    lines = [line for path in _sorted("summary/columns") for line in path.read_text(encoding="utf-8").splitlines()]
    matches = [SUMMARY_LINE.fullmatch(line) for line in lines if line and not line.startswith("--")]
    return [SummaryColumn(**match.groupdict()) for match in matches if match is not None]


def summary_ddl(table: str) -> str:
    """Return the statement that creates the summary under the name `table`, unless it is there."""
    columns = ",\n    ".join(f"{column.name} {column.definition}" for column in summary_columns())
    keys = "PRIMARY KEY (objectId), KEY nobs (nobs), KEY jd_last (jd_last)"
    comment = "One row for each object with two or more alerts"
    return f"CREATE TABLE IF NOT EXISTS {table} (\n    {columns},\n    {keys}\n) ENGINE = InnoDB COMMENT = '{comment}'"


def read_sql(name: str) -> str:
    """Return the text of a file under `sql/`."""
    return files("alertdb").joinpath("sql", name).read_text(encoding="utf-8")


def _apply_changes(connection: Connection) -> None:
    """Apply each file of `sql/schema` once, in order. DDL commits by itself, so each file is recorded at once."""
    known = _applied_changes(connection)
    for path in _sorted("schema"):
        digest = _digest(path)
        if path.name in known:
            if known[path.name] != digest:
                raise SchemaChanged(path.name)
            continue
        _change(connection, path.read_text(encoding="utf-8"))
        insert = "INSERT INTO schema_changes VALUES (:name, :sha256, UTC_TIMESTAMP(6))"
        connection.execute(text(insert), {"name": path.name, "sha256": digest})
        connection.commit()


def _change(connection: Connection, script: str) -> None:
    """Run a schema file; what a run that was killed before it could record the file has done of it is done."""
    for statement in _statements(script):
        try:
            connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if getattr(error.orig, "errno", None) not in DONE_ALREADY:
                raise


def _digest(path: Traversable) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _applied_changes(connection: Connection) -> dict[str, str]:
    if connection.exec_driver_sql("SHOW TABLES LIKE 'schema_changes'").first() is None:
        return {}
    rows = connection.exec_driver_sql("SELECT name, sha256 FROM schema_changes")
    return {row.name: row.sha256 for row in rows}


def _ensure_views(connection: Connection, survey: str) -> None:
    for folder, database in (("ztf", survey), ("ztf_public", public_database(survey))):
        connection.exec_driver_sql(f"USE {database}")
        for path in _sorted(f"views/{folder}"):
            _run(connection, path.read_text(encoding="utf-8"))


def _ensure_people(connection: Connection, survey: str) -> None:
    """Bring about what accounts of people need: tables, the procedures that make them, the accounts that may call."""
    _run(connection, read_sql("people/tables.sql"))
    connection.execute(text("INSERT IGNORE INTO alertdb_people.surveys VALUES (:name)"), {"name": survey})
    connection.commit()
    _run(connection, read_sql("people/grants.sql").format(survey=survey))
    for path in (*_sorted("people/procedures"), *_sorted("people/views")):  # whole: procedures have semicolons within
        connection.exec_driver_sql(path.read_text(encoding="utf-8").rstrip().removesuffix(";"))
    _run(connection, read_sql("people/grants_on_procedures.sql"))


def _ensure_admin_password(config: Config) -> None:
    """Give root of a fresh private server a password; until then its 0700 folder is the only lock.

    The file comes first: an interruption in between leaves a server that takes root without it, once more.
    """
    if config.database_url is not None:
        return
    password = read_password(config.secrets, Account.ADMIN) or create_password(config.secrets, Account.ADMIN)
    try:
        connect(config, Account.ADMIN, database=None).close()
    except ServerRefused:
        socket = str(PrivateServer(config.home).socket)
        with (
            mariadb.connect(unix_socket=socket, user=Account.ADMIN.user) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(f"ALTER USER root@localhost IDENTIFIED BY PASSWORD '{password_hash(password)}'")
    with connect(config, Account.ADMIN, database=None) as connection:  # those that the installation makes have none
        hosts = connection.exec_driver_sql("SELECT host FROM mysql.user WHERE user = 'root' AND host <> 'localhost'")
        for host in hosts.scalars().all():
            connection.execute(text("DROP USER root@:host"), {"host": host})


def _set_password(connection: Connection, config: Config, account: Account) -> None:
    password = read_password(config.secrets, account) or create_password(config.secrets, account)
    connection.exec_driver_sql(f"ALTER USER {account.user}@'%' IDENTIFIED BY PASSWORD '{password_hash(password)}'")


def password_hash(password: str) -> str:
    """Return the hash that mysql_native_password stores, so that no statement ever holds the password itself."""
    inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(inner, usedforsecurity=False).hexdigest().upper()


def _run(connection: Connection, script: str) -> None:
    for statement in _statements(script):
        connection.exec_driver_sql(statement)


def _statements(script: str) -> Iterator[str]:
    """Split a script at the semicolons that end a line; comment lines may hold any text."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    for statement in re.split(r";\s*$", "\n".join(lines), flags=re.MULTILINE):
        if statement.strip():
            yield statement.strip()


def _sorted(folder: str) -> list[Traversable]:
    entries = files("alertdb").joinpath("sql", *folder.split("/")).iterdir()
    return sorted((entry for entry in entries if entry.name.endswith(".sql")), key=lambda entry: entry.name)
