"""The archive in containers, built and started once for all tests here, and a GitHub that does as it is told.

`./test.sh --containers` runs these; they need root, since they look into folders that belong to the containers' users.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import browser, page
from conftest import required
from github import GitHub, serve_github
from hub import GROUP, MEMBER, OUTSIDER, TEAM, TEAMMATE, Visitor, wait_for
from stack import Stack, compose_command

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["browser", "page"]  # fixtures

NIGHTS = (20240110, 20240111, 20240112)
FIRST = 4  # tarballs of the first two nights: objects have a summary from their second alert on
ALERTS = 600


def missing() -> str:
    """What keeps these tests from running, or nothing."""
    if os.geteuid() != 0:
        return "they run as root alone"
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    if subprocess.run([*compose_command(), "version"], capture_output=True, check=False).returncode:
        return "neither docker-compose nor docker's compose plugin is there"
    return ""


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    """Skip without a Docker engine, or fail where containers are required."""
    message = f"no containers: {missing()}; ./test.sh --containers starts an engine"
    if missing():
        if required("containers"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def github() -> Iterator[GitHub]:
    """GitHub, with a group, and a team of another group that reads everything."""
    organizations = {
        GROUP: {MEMBER: "active"},
        "other-group": {TEAMMATE: "active", OUTSIDER: "active"},
        TEAM: {TEAMMATE: "active"},
    }
    with serve_github(GitHub({MEMBER: "ada", TEAMMATE: "tom", OUTSIDER: "otto"}, organizations)) as github:
        yield github


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three simulated nights in order, public and partnership alerts apart: six tarballs."""
    folder = tmp_path_factory.mktemp("nights")
    tarballs = simulate_nights(NIGHTS, ALERTS, folder, seed=5, programs=("public", "partnership"))
    return sorted(tarballs, key=lambda tarball: tarball.name.split("_")[::-1])


@pytest.fixture(scope="session")
def stack(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All containers, started as an operator starts them, with an empty archive."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder)
    stack.write_settings(github)
    stack.compose("build")
    stack.destroy()  # what an earlier run may have left
    try:
        stack.up()
        yield stack
    finally:
        (folder / "log").write_text(stack.compose("logs", "--no-color", check=False))
        keep_log(folder / "log")
        stack.destroy()


def keep_log(log: Path) -> None:
    """Keep what the containers said where it can be read after the tests."""
    kept = Path(__file__).resolve().parents[2] / "build" / "containers.log"
    kept.parent.mkdir(exist_ok=True)
    shutil.copyfile(log, kept)


@pytest.fixture(scope="session")
def filled(stack: Stack, nights: list[Path]) -> Stack:
    """The containers with the first two nights in."""
    for tarball in nights[:FIRST]:
        stack.put(tarball, "partnership" if "partnership" in tarball.name else "public")
    wait_for(
        lambda: {tarball.name for tarball in nights[:FIRST]} <= stack.loaded(), "the first nights to be loaded", 300
    )
    return stack


@pytest.fixture
def visitor(filled: Stack, github: GitHub) -> Callable[[str], Visitor]:
    """Somebody with a login at GitHub."""
    return lambda login: Visitor(filled.url, login, github.url)
