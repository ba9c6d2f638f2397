"""People in the hub's containers: what a member works with, and what is kept from each."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from example_notebook import TITLE, write_example
from hub import Visitor, make_token, start_server, wait_for
from pages import keep, run_all_cells, save_when_done
from stack import in_container, inspect, run, volume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from stack import Stack

ADA, TOM = "jupyter-gh11", "jupyter-gh13"
JOVYAN = 1000


def enter(person: Visitor) -> Visitor:
    """Log in and start a server."""
    assert person.log_in()[0] == 200
    start_server(person)
    return person


@pytest.fixture
def ada(visitor: Callable[[str], Visitor]) -> Visitor:
    return enter(visitor("ada"))


@pytest.fixture
def tom(visitor: Callable[[str], Visitor]) -> Visitor:
    return enter(visitor("tom"))


@pytest.fixture
def listener() -> Iterator[int]:
    """Port of something on this machine that listens at all its addresses, as many services do."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        port = int(server.getsockname()[1])
        socket.create_connection(("127.0.0.1", port)).close()
        yield port


def home(user: str) -> Path:
    return volume(f"alertdb-home-{user}")


def can_connect(container: str, address: str, port: int) -> bool:
    """Whether a connection from a container comes about."""
    code = f"""
import socket
try:
    socket.create_connection(("{address}", {port}), timeout=3).close()
    print("open")
except OSError as error:
    print(error)
"""
    return in_container(container, code).strip() == "open"


def address_of(container: str) -> str:
    (network,) = inspect(container)["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def test_a_member_runs_a_notebook_in_a_container_of_their_own(page: Page, ada: Visitor, filled: Stack) -> None:
    assert ada.name() == "gh11"
    notebook = write_example(home("gh11"))
    os.chown(notebook, JOVYAN, JOVYAN)
    page.goto(filled.url)
    page.get_by_text("Sign in with GitHub").click()
    page.get_by_label("Login").fill("ada")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Examples").wait_for()
    page.goto(f"{filled.url}/hub/user-redirect/lab/tree/{notebook.name}")
    page.get_by_role("heading", name=TITLE).wait_for()
    run_all_cells(page)
    cells = save_when_done(page, notebook)
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] in ("error", "stream")] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
    keep(page, "containers_notebook")


def test_the_example_notebooks_are_there_to_be_read(ada: Visitor) -> None:
    assert ada.name() == "gh11"
    code = "import os; print(len(os.listdir('examples')), os.access('examples', os.W_OK))"
    count, writable = in_container(ADA, f"import os; os.chdir('/home/jovyan'); {code}").split()
    assert int(count) >= 8
    assert writable == "False"


def test_a_user_s_container_is_held_as_the_hub_says(ada: Visitor) -> None:
    assert ada.name() == "gh11"
    held = inspect(ADA)
    assert held["HostConfig"]["ReadonlyRootfs"]
    assert held["HostConfig"]["CapDrop"] == ["ALL"]
    assert held["HostConfig"]["PidsLimit"] == 512
    assert held["HostConfig"]["Memory"] == 1 << 30
    code = "import os; print(os.getuid(), open('/proc/self/status').read())"
    said = in_container(ADA, code)
    assert said.startswith("1000 ")
    assert "CapEff:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    mounted = {mount["Destination"]: mount["RW"] for mount in held["Mounts"]}
    assert [place for place, writable in mounted.items() if writable] == ["/home/jovyan"]
    assert not [mount for mount in held["Mounts"] if "docker.sock" in mount["Source"] or "secrets" in mount["Source"]]


def test_partnership_thumbnails_are_read_by_members_of_the_team_alone(
    ada: Visitor, tom: Visitor, filled: Stack
) -> None:
    assert (ada.name(), tom.name()) == ("gh11", "gh13")
    folder = filled.data / "archive" / "thumbnails"
    public, partnership = (len(list((folder / rights).rglob("*.zip"))) for rights in ("public", "partnership"))
    assert public >= 2
    assert partnership >= 2
    code = "import pathlib; print(*(f.open('rb').read(2) for f in pathlib.Path('/data/thumbnails').rglob('*.zip')))"
    assert in_container(ADA, code).split() == ["b'PK'"] * public
    assert in_container(TOM, code).split() == ["b'PK'"] * (public + partnership)
    code = "import alertdb; print(alertdb.connect().sql('SELECT COUNT(*) AS n FROM alerts').n[0])"
    assert int(in_container(ADA, code)) < int(in_container(TOM, code))


def test_one_user_does_not_reach_another_s_container(ada: Visitor, tom: Visitor) -> None:
    assert (ada.name(), tom.name()) == ("gh11", "gh13")
    port = 8888
    code = "import urllib.request, os; print(os.environ['JUPYTERHUB_SERVICE_URL'])"
    assert f":{port}/" in in_container(TOM, code)
    assert can_connect(TOM, "127.0.0.1", port)  # it does listen
    assert not can_connect(ADA, address_of(TOM), port)


def test_one_user_does_not_reach_another_s_server_through_the_hub(ada: Visitor, tom: Visitor) -> None:
    for token in (make_token(ada), token_of(ADA)):
        assert ada.get("/user/gh13/api/contents", token)[0] in (403, 404)
        assert ada.api("DELETE", "/users/gh13/server", token)[0] in (403, 404)
        assert ada.api("POST", "/users/gh13/tokens", token)[0] in (403, 404)
    assert ada.get("/user/gh13/api/contents")[0] in (403, 404)
    assert tom.api("GET", "/users/gh13")[1]["servers"][""]["ready"]


def test_one_user_does_not_see_another_s_files(ada: Visitor, tom: Visitor) -> None:
    assert (ada.name(), tom.name()) == ("gh11", "gh13")
    in_container(TOM, "open('/home/jovyan/of_tom', 'w').write('x')")
    assert (home("gh13") / "of_tom").exists()
    code = "import os; print([os.path.join(at, f) for at, _, files in os.walk('/') for f in files if f == 'of_tom'])"
    assert in_container(ADA, code).strip() == "[]"


def token_of(container: str) -> str:
    """The token that a user's server has for the hub, which its user can read."""
    return in_container(container, "import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip()


def test_a_container_reaches_the_hub_and_the_database_and_nothing_else_here(
    ada: Visitor, filled: Stack, listener: int
) -> None:
    assert ada.name() == "gh11"
    gateway = filled.settings["ALERTDB_USERS_GATEWAY"]
    machine = filled.settings["ALERTDB_HUB_URL"].rsplit(":", 1)
    assert can_connect(ADA, gateway, int(filled.settings["ALERTDB_HUB_PORT"]))
    assert can_connect(ADA, gateway, 3306)
    for port in (filled.settings["ALERTDB_HUB_PROXY_API_PORT"], machine[1], listener):
        assert not can_connect(ADA, gateway, int(port))
    assert not can_connect(ADA, "169.254.169.254", 80)
    database = inspect(filled.container("mariadb"))["NetworkSettings"]["Networks"]
    assert not [n for n in database.values() if can_connect(ADA, n["IPAddress"], 3306)]


def test_the_hub_s_interface_gives_a_container_what_its_user_is(ada: Visitor, filled: Stack) -> None:
    assert ada.name() == "gh11"
    hub = f"http://{filled.settings['ALERTDB_USERS_GATEWAY']}:{filled.settings['ALERTDB_HUB_PORT']}/hub/api"
    code = f"""
import json, os, urllib.error, urllib.request
for path in ("/user", "/users", "/users/gh13", "/proxy", "/services", "/info"):
    request = urllib.request.Request("{hub}" + path)
    request.add_header("Authorization", "token " + os.environ["JUPYTERHUB_API_TOKEN"])
    try:
        print(path, json.load(urllib.request.urlopen(request))["name"])
    except urllib.error.HTTPError as error:
        print(path, error.code)
"""
    said: dict[str, Any] = dict(line.split() for line in in_container(ADA, code).splitlines())
    assert said.pop("/user") == "gh11"
    assert set(said.values()) <= {"403", "404"}


def test_the_archive_s_own_accounts_are_closed_to_containers(ada: Visitor, filled: Stack) -> None:
    """Even to whoever knows their passwords."""
    assert ada.name() == "gh11"
    folder = filled.data / "archive" / "secrets"
    accounts = {f"alertdb_{file.name}": file.read_text().strip() for file in folder.iterdir()}
    accounts |= {"alertdb": "", "root": ""}
    assert len(accounts) == 6
    code = f"""
import mariadb, os
from sqlalchemy import make_url
own = make_url(os.environ["ALERTDB_DATABASE_URL"])
mariadb.connect(host=own.host, port=own.port, user=own.username, password=own.password).close()
for name, password in {accounts!r}.items():
    try:
        mariadb.connect(host=own.host, port=own.port, user=name, password=password).close()
        print("open")
    except mariadb.Error as error:
        print(error.errno)
"""
    assert set(in_container(ADA, code).split()) <= {"1045", "1698", "4151", "1130"}


def test_the_hub_may_ask_docker_for_nothing_but_users_containers(ada: Visitor, filled: Stack) -> None:
    """As whoever has taken the hub over would: past its own code."""
    assert ada.name() == "gh11"
    database = filled.container("mariadb")
    code = f"""
import docker, docker.errors
engine = docker.from_env().api
print(engine.inspect_container("{ADA}")["Name"])
attempts = [
    lambda: engine.inspect_container("{database}"),
    lambda: engine.inspect_container("{inspect(database)["Id"]}"),
    lambda: engine.stop("{database}"),
    lambda: engine.containers(),
    lambda: engine.create_container("alertdb-notebook:test", "id", name="jupyter-gh99"),
    lambda: engine.create_container("alertdb-notebook:test", "id", name="jupyter-gh99",
        host_config=engine.create_host_config(privileged=True, binds=["/:/host"])),
    lambda: engine.exec_create("{ADA}", "id"),
]
for attempt in attempts:
    try:
        print("done", attempt())
    except docker.errors.APIError as error:
        print("refused", error.status_code)
"""
    said = in_container(filled.container("hub"), code).splitlines()
    assert said == [f"/{ADA}", *["refused 403"] * 7]
    engine = "import os; print(os.path.exists('/var/run/docker.sock'))"
    assert in_container(filled.container("hub"), engine).strip() == "False"


def test_a_restart_of_the_hub_leaves_servers_running(ada: Visitor, filled: Stack) -> None:
    before = inspect(ADA)["State"]["StartedAt"]
    token = make_token(ada)
    filled.compose("restart", "hub")
    wait_for(lambda: filled.health("hub") == "healthy", "the hub to be healthy")
    wait_for(lambda: "started" in ada.get("/user/gh11/api/status", token)[1], "the server to be reachable again")
    assert inspect(ADA)["State"]["StartedAt"] == before


def test_a_server_that_is_stopped_leaves_its_home_and_nothing_else(ada: Visitor) -> None:
    in_container(ADA, "open('/home/jovyan/kept', 'w').write('x')")
    assert ada.api("DELETE", "/users/gh11/server")[0] in (202, 204)
    wait_for(lambda: ADA not in run("docker", "ps", "--all", "--format", "{{.Names}}").split(), "the container to go")
    assert (home("gh11") / "kept").read_text() == "x"
