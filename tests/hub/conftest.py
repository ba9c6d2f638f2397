"""A hub for the tests of a file, over an archive of simulated alerts, and a GitHub that does as it is told."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from browsing import browser, page
from github import GitHub, serve_github
from hub import (
    ADMIN,
    GROUP,
    INVITED,
    LEAVER,
    MEMBER,
    OUTSIDER,
    TEAM,
    TEAMMATE,
    RunningHub,
    Visitor,
    hub_settings,
)
from loaded import load_tarballs

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alertdb.config import Config

__all__ = ["browser", "page"]  # fixtures


@pytest.fixture(scope="session")
def filled(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """An archive with four simulated nights."""
    folder = tmp_path_factory.mktemp("hub_archive")
    tarballs = simulate_nights([20240110, 20240111, 20240112, 20240113], 400, folder, seed=5)
    return load_tarballs(server_config, folder / "thumbnails", list(tarballs))


@pytest.fixture(scope="session")
def github() -> Iterator[GitHub]:
    """GitHub, with a group, a team of another group, and people."""
    people = {MEMBER: "ada", LEAVER: "lee", TEAMMATE: "tom", OUTSIDER: "otto", INVITED: "ines", ADMIN: "adam"}
    organizations = {
        GROUP: {MEMBER: "active", LEAVER: "active", ADMIN: "active", INVITED: "pending"},
        "other-group": {TEAMMATE: "active", OUTSIDER: "active"},
        TEAM: {TEAMMATE: "active"},
    }
    with serve_github(GitHub(people, organizations)) as github:
        yield github


@pytest.fixture(scope="module")
def hub(filled: Config, github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that asks after its members every second."""
    state = tmp_path_factory.mktemp("hub")
    members = {"ORGANIZATIONS": f"{GROUP},{TEAM}", "ADMINS": str(ADMIN), "PARTNERSHIP": TEAM}
    settings = hub_settings(state, github, **members, CHECK_SECONDS="1")
    settings |= {"ALERTDB_HOME": str(filled.home), "ALERTDB_THUMBNAILS_URL": filled.thumbnails}
    settings["ALERTDB_HUB_CANARY"] = secrets.token_hex()  # stands for whatever else an operator sets
    hub = RunningHub(state, settings)
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()
        hub.kill_servers()


@pytest.fixture
def visitor(hub: RunningHub, github: GitHub) -> Callable[[str], Visitor]:
    """Somebody with a login at GitHub."""
    return lambda login: Visitor(hub.url, login, github.url)
