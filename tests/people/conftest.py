"""People with accounts of their own on the session's server, and connections as each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from someone import Someone
from sqlalchemy import URL

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.people.accounts import close_account, list_people, open_account
from alertdb.people.leaving import list_limits, remove_person, set_limit
from alertdb.people.server_view import ServerView
from alertdb.people.watchdog import Watchdog
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def enter(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Someone]]:
    """Open accounts; all that there are when the tests of a file are done are removed."""
    socket = str(PrivateServer(server_config.home).socket)

    def enter(person: int, *, partnership: bool = False, thumbnails: Path | str | None = None) -> Someone:
        password = open_account(server_config, person, f"login{person}", partnership=partnership)
        database = "ztf" if partnership else "ztf_public"
        url = URL.create(
            "mariadb", f"gh{person}", password, "localhost", database=database, query={"unix_socket": socket}
        )
        home = tmp_path_factory.mktemp(f"home_of_{person}")
        config = Config(home, url.render_as_string(hide_password=False), str(thumbnails) if thumbnails else None)
        return Someone(person, password, socket, config, database)

    yield enter
    for person in list_people(server_config, Account.ADMIN):
        close_account(server_config, person.id)
        remove_person(server_config, person.id)


@pytest.fixture
def limit(server_config: Config) -> Iterator[Callable[[str, int], None]]:
    """Change limits for one test."""
    before = list_limits(server_config)
    yield lambda name, value: set_limit(server_config, name, value)
    for name, value, _ in before:
        set_limit(server_config, name, value)


@pytest.fixture
def watchdog(server_config: Config) -> Iterator[Watchdog]:
    """A watchdog that looks when it is told to."""
    view = ServerView(server_config)
    yield Watchdog(view)
    view.close()


@pytest.fixture
def admin(server_config: Config) -> Iterator[Any]:
    """A connection as administrator."""
    with connect(server_config, Account.ADMIN, "ztf") as connection:
        yield connection
