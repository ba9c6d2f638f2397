"""What the hub keeps to itself, and what outlives it."""

from __future__ import annotations

import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hub import ROOT, Visitor, make_token, start_kernel, start_server, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from github import GitHub
    from hub import RunningHub


@pytest.fixture
def ada(visitor: Callable[[str], Visitor]) -> Visitor:
    ada = visitor("ada")
    ada.log_in()
    return ada


def secrets_of(hub: RunningHub, github: GitHub) -> set[str]:
    names = ("crypt_key", "cookie_secret", "proxy_token")
    others = {github.client_secret, hub.settings["ALERTDB_HUB_CANARY"], *github.tokens}
    return {(hub.state / name).read_text().strip() for name in names} | others


def test_no_secret_reaches_users_logs_or_arguments(ada: Visitor, hub: RunningHub, github: GitHub) -> None:
    start_server(ada)
    secrets = secrets_of(hub, github)
    environments = [entry.decode() for entries in hub.processes("gh11").values() for entry in entries]
    assert any(entry.startswith("ALERTDB_DATABASE_URL=") for entry in environments)
    arguments = [path.read_bytes().decode(errors="replace") for path in hub.command_lines()]
    assert arguments
    for secret in secrets:
        assert secret not in hub.log
        assert not any(secret in text for text in [*environments, *arguments])
    password = next(entry for entry in environments if entry.startswith("ALERTDB_DATABASE_URL=")).split(":")[2]
    assert password.split("@")[0] not in hub.log


def test_the_idle_culler_may_stop_idle_servers(ada: Visitor, hub: RunningHub) -> None:
    """Run as the hub runs it, with its token and so with its rights, but for servers idle for a second."""
    start_server(ada)
    environment = hub.service_environment("jupyterhub_idle_culler")
    command = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"]
    culler = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: not ada.api("GET", "/users/gh11")[1]["servers"], "the idle server to be stopped")
    finally:
        culler.terminate()
        culler.wait(60)


def test_what_the_hub_writes_down_only_its_account_reads(hub: RunningHub) -> None:
    files = [path for path in hub.state.iterdir() if path.is_file() and path.name not in ("hub.log", "site_config.py")]
    assert {"jupyterhub.sqlite", "crypt_key", "cookie_secret", "proxy_token"} <= {path.name for path in files}
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in files} == {path.name: 0o600 for path in files}


def test_tokens_for_github_are_not_readable_in_the_database(ada: Visitor, hub: RunningHub, github: GitHub) -> None:
    assert ada.name()
    stored = b"".join(path.read_bytes() for path in hub.state.glob("jupyterhub.sqlite*"))
    assert b"gh11" in stored
    assert not any(token.encode() in stored for token in github.tokens)


def test_a_restart_of_the_hub_leaves_notebooks_running(ada: Visitor, hub: RunningHub) -> None:
    server, token = start_server(ada), make_token(ada)
    start_kernel(ada, server, token)
    before = hub.lasting("gh11")
    assert len(before) == 2  # the server and its kernel
    hub.stop()
    assert before == hub.lasting("gh11")
    hub.start()
    wait_for(lambda: "started" in ada.get(f"{server}api/status", token)[1], "the server to be reachable again")
    assert ada.api("GET", "/users/gh11")[1]["servers"][""]["ready"]
    assert before == hub.lasting("gh11")


def test_a_hub_without_settings_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jupyterhub", "-f", str(ROOT / "jupyterhub" / "jupyterhub_config.py")]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The hub does not start: ALERTDB_HUB_URL is not set: ")
    assert done.stderr.count("\n") == 1
