"""Accounts of people's own: made when a server starts, locked when it stops, with the rights of their team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from hub import GROUP, LEAVER, TEAM, TEAMMATE, Visitor, start_server, wait_for
from sqlalchemy import make_url

from alertdb.people.accounts import list_people

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import GitHub
    from hub import RunningHub

    from alertdb.config import Config
    from alertdb.people.accounts import Person


def told(hub: RunningHub, user: str) -> dict[str, str]:
    """The environment of a user's server."""
    environment = wait_for(lambda: list(hub.processes(user).values()), "a process")[0]
    return dict(entry.decode().split("=", 1) for entry in environment if b"=" in entry)


def connect_as(environment: dict[str, str]) -> Any:
    url = make_url(environment["ALERTDB_DATABASE_URL"])
    return mariadb.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, password=url.password, database=url.database
    )


def row_of(config: Config, number: int) -> Person:
    return next(row for row in list_people(config) if row.id == number)


def enter(person: Visitor) -> str:
    """Log in and start a server; return the user's name."""
    assert person.log_in()[0] == 200
    start_server(person)
    return person.name()


def test_an_account_is_of_its_server_alone(visitor: Callable[[str], Visitor], hub: RunningHub, filled: Config) -> None:
    environment = told(hub, enter(visitor("ada")))
    with connect_as(environment) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT CURRENT_USER(), DATABASE()")
        assert cursor.fetchone() == ("gh11@%", "ztf_public")
    assert environment["ALERTDB_THUMBNAILS_URL"] != filled.thumbnails
    password = make_url(environment["ALERTDB_DATABASE_URL"]).password or ""
    assert len(password) > 40
    assert password not in hub.log
    assert not any(password in path.read_bytes().decode(errors="replace") for path in hub.command_lines())
    assert not [path for path in hub.state.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    hub.stop()
    hub.kill_servers()  # while there is no hub to notice
    hub.start()
    wait_for(lambda: not row_of(filled, 11).is_open, "the account to be locked")
    with pytest.raises(mariadb.Error, match="locked"):
        connect_as(environment)


def test_rights_follow_the_team(
    visitor: Callable[[str], Visitor], hub: RunningHub, github: GitHub, filled: Config
) -> None:
    tom = visitor("tom")
    first = told(hub, enter(tom))
    assert make_url(first["ALERTDB_DATABASE_URL"]).database == "ztf"
    assert first["ALERTDB_THUMBNAILS_URL"] == filled.thumbnails
    github.organizations[GROUP][TEAMMATE] = "active"  # he may stay, but reads partnership alerts no more
    state = github.organizations[TEAM].pop(TEAMMATE)
    try:
        wait_for(lambda: not hub.processes("gh13"), "the server to be stopped")
        wait_for(lambda: not row_of(filled, TEAMMATE).is_open, "the account to be locked")
        with pytest.raises(mariadb.Error, match="locked"):
            connect_as(first)
        wait_for(lambda: not tom.api("GET", "/users/gh13")[1]["servers"], "the end of the stop")
        second = told(hub, enter(tom))
    finally:
        del github.organizations[GROUP][TEAMMATE]
        github.organizations[TEAM][TEAMMATE] = state
    assert make_url(second["ALERTDB_DATABASE_URL"]).database == "ztf_public"
    with connect_as(second) as connection, pytest.raises(mariadb.Error, match="denied"):
        connection.cursor().execute("SELECT COUNT(*) FROM ztf.alerts")
    with pytest.raises(mariadb.Error, match="denied"):  # there is a new password
        connect_as(first)


def test_who_leaves_the_hub_is_noted(
    visitor: Callable[[str], Visitor], hub: RunningHub, github: GitHub, filled: Config
) -> None:
    environment = told(hub, enter(visitor("lee")))
    state = github.organizations[GROUP].pop(LEAVER)
    try:
        wait_for(lambda: row_of(filled, LEAVER).left_at, "the note")
    finally:
        github.organizations[GROUP][LEAVER] = state
    with pytest.raises(mariadb.Error, match="locked"):
        connect_as(environment)
