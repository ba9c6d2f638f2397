"""What people leave behind: their scratch databases exported on request, their accounts removed by command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from sqlalchemy import text

from alertdb.database import Account, connect, database_url
from alertdb.people.accounts import DATABASE, list_people
from alertdb.people.errors import AccountOpen, ExportExists, UnknownLimit, UnknownPerson
from alertdb.people.names import account_name, scratch_name
from alertdb.query import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.config import Config
    from alertdb.people.accounts import Person

__all__ = ["export_scratch", "find_person", "list_limits", "remove_person", "set_limit", "set_scratch_limit"]

TABLES = "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'"


def find_person(config: Config, person: int) -> Person:
    """Return a person who has an account.

    Raises
    ------
    UnknownPerson
        If there is none.
    """
    for found in list_people(config, Account.ADMIN):
        if found.id == person:
            return found
    raise UnknownPerson(person)


def export_scratch(config: Config, person: int, folder: Path) -> Iterator[tuple[Path, int]]:
    """Write each table of a person's scratch database into a Parquet file; yield the files and their rows.

    Views are left out: read by the administrator, one could show what its owner may not see, as files of the server.

    Raises
    ------
    UnknownPerson
        If nobody has that id.
    ExportExists
        If one of the files is there.
    """
    name = find_person(config, person).scratch
    url = database_url(config, Account.ADMIN).render_as_string(hide_password=False)
    reader = Reader(replace(config, database_url=url, account_of_url=True), name)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for table in map(str, reader.query(TABLES).column(0).to_pylist()):
            path = folder / f"{_file_name(table)}.parquet"
            if path.exists():
                raise ExportExists(path)
            yield path, _write(reader, table, path)
    finally:
        reader.close()


def remove_person(config: Config, person: int) -> None:
    """Drop the account and the scratch database of somebody who is not in.

    Raises
    ------
    UnknownPerson
        If nobody has that id.
    AccountOpen
        If the account is open.
    """
    found = find_person(config, person)
    if found.is_open:
        raise AccountOpen(found.account, found.login)
    with connect(config, Account.ADMIN, DATABASE) as connection:
        connection.exec_driver_sql(f"DROP USER IF EXISTS {account_name(person)}@'%'")
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {scratch_name(person)}")
        connection.execute(text("DELETE FROM notices WHERE account = :name"), {"name": account_name(person)})
        connection.execute(text("DELETE FROM people WHERE id = :person"), {"person": person})
        connection.commit()


def list_limits(config: Config) -> list[tuple[str, int, str]]:
    """Return the limits: name, value and what happens at it."""
    with connect(config, Account.ADMIN, DATABASE) as connection:
        rows = connection.exec_driver_sql("SELECT name, value, meaning FROM limits ORDER BY name")
        return [(name, int(value), meaning) for name, value, meaning in rows]


def set_limit(config: Config, name: str, value: int) -> None:
    """Change a limit of all; accounts that are open keep what the server holds of the old one until they are opened.

    Raises
    ------
    UnknownLimit
        If there is none of that name.
    """
    known = [limit for limit, _, _ in list_limits(config)]
    if name not in known:
        raise UnknownLimit(name, known)
    with connect(config, Account.ADMIN, DATABASE) as connection:
        connection.execute(text("UPDATE limits SET value = :value WHERE name = :name"), {"value": value, "name": name})
        connection.commit()


def set_scratch_limit(config: Config, person: int, megabytes: int | None) -> None:
    """Give one person another limit for the scratch database than all; None for that of all."""
    find_person(config, person)
    with connect(config, Account.ADMIN, DATABASE) as connection:
        change = "UPDATE people SET scratch_limit = :limit WHERE id = :person"
        connection.execute(text(change), {"limit": megabytes, "person": person})
        connection.commit()


def _file_name(table: str) -> str:
    """Return a name that stays in its folder: a user may call a table ``../../etc/x``."""
    return table.replace("%", "%25").replace("/", "%2F")


def _write(reader: Reader, table: str, path: Path) -> int:
    batches = reader.batches(f"SELECT * FROM `{table.replace('`', '``')}`")
    unfinished = path.with_name(f".{path.name}")
    rows = 0
    with pq.ParquetWriter(unfinished, next(batches).schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    unfinished.rename(path)
    return rows
