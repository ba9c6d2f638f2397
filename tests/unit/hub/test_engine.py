"""What the hub may ask of Docker."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from alertdb.hub.engine import Rules, objection, objection_to_container

RULES = Rules("alertdb-notebook:1", "alertdb-users", ("/srv/alertdb/archive/thumbnails", "/srv/alertdb/notebooks"))
HOME = "alertdb-home-gh11:/home/jovyan:rw"
NOTEBOOKS = "/srv/alertdb/notebooks:/home/jovyan/examples:ro"
CONTAINER: dict[str, Any] = {
    "Image": "alertdb-notebook:1",
    "Cmd": ["jupyterhub-singleuser"],
    "Env": ["A=1"],
    "User": "",
    "HostConfig": {
        "Binds": [HOME, NOTEBOOKS, "/srv/alertdb/archive/thumbnails/public:/data/thumbnails/public:ro"],
        "NetworkMode": "alertdb-users",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "ReadonlyRootfs": True,
        "Memory": 1 << 30,
        "Tmpfs": {"/tmp": "size=2g"},  # noqa: S108
        "PortBindings": {},
    },
}
NAME = {"name": "jupyter-gh11"}


def changed(**host: Any) -> dict[str, Any]:
    body = deepcopy(CONTAINER)
    body["HostConfig"] |= host
    return body


def test_a_user_s_container_may_be_made_looked_at_and_ended() -> None:
    assert objection(RULES, "POST", "/containers/create", NAME, CONTAINER) is None
    for container in ("jupyter-gh11", "0123456789ab" * 2):
        assert objection(RULES, "GET", f"/containers/{container}/json", {}, None) is None
        assert objection(RULES, "POST", f"/containers/{container}/start", {}, None) is None
        assert objection(RULES, "POST", f"/containers/{container}/stop", {"t": "10"}, None) is None
        assert objection(RULES, "DELETE", f"/containers/{container}", {"v": "False"}, None) is None


@pytest.mark.parametrize(
    "host",
    [
        {"Privileged": True},
        {"privileged": True},  # the engine does not mind the case
        {"CapAdd": ["SYS_ADMIN"]},
        {"CapDrop": []},
        {"SecurityOpt": ["no-new-privileges:true", "seccomp=unconfined"]},
        {"SecurityOpt": []},
        {"ReadonlyRootfs": False},
        {"NetworkMode": "host"},
        {"NetworkMode": "container:alertdb_mariadb_1"},
        {"PidMode": "host"},
        {"IpcMode": "host"},
        {"UsernsMode": "host"},
        {"Devices": [{"PathOnHost": "/dev/sda"}]},
        {"DeviceRequests": [{"Driver": "x"}]},
        {"VolumesFrom": ["alertdb_mariadb_1"]},
        {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/host"}]},
        {"PortBindings": {"22/tcp": [{"HostPort": "22"}]}},
        {"Binds": ["/:/host:ro"]},
        {"Binds": ["/var/run/docker.sock:/var/run/docker.sock:ro"]},
        {"Binds": ["/srv/alertdb/archive/secrets:/s:ro"]},
        {"Binds": ["/srv/alertdb/archive/thumbnails/../secrets:/s:ro"]},
        {"Binds": ["/srv/alertdb/archive/thumbnails2:/s:ro"]},
        {"Binds": ["/srv/alertdb/archive/thumbnails:/s:rw"]},
        {"Binds": ["/srv/alertdb/archive/thumbnails:/s"]},
        {"Binds": ["/srv/alertdb/archive/thumbnails:/s:ro,rshared"]},
        {"Binds": ["alertdb_socket:/home/jovyan:rw"]},
        {"Binds": ["alertdb-home-gh11:/etc:rw"]},
    ],
)
def test_a_container_that_could_do_more_is_refused(host: dict[str, Any]) -> None:
    assert objection_to_container(RULES, changed(**host)) is not None


@pytest.mark.parametrize(
    "more",
    [
        {"Image": "debian:bookworm-slim"},
        {"User": "root"},
        {"Entrypoint": ["sh"]},
        {"hostconfig": {"Privileged": True}},
        {"NetworkingConfig": {"EndpointsConfig": {"alertdb_database": {}}}},
        {"HostConfig": None},
    ],
)
def test_a_container_of_another_kind_is_refused(more: dict[str, Any]) -> None:
    assert objection_to_container(RULES, CONTAINER | more) is not None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/containers/json"),
        ("GET", "/containers/alertdb_mariadb_1/json"),
        ("POST", "/containers/alertdb_mariadb_1/stop"),
        ("POST", "/containers/jupyter-gh11/exec"),
        ("POST", "/containers/jupyter-gh11/update"),
        ("GET", "/containers/jupyter-gh11/../alertdb_mariadb_1/json"),
        ("PUT", "/containers/jupyter-gh11/archive"),
        ("DELETE", "/containers/alertdb_mariadb_1"),
        ("DELETE", "/volumes/alertdb-home-gh11"),
        ("POST", "/volumes/create"),
        ("POST", "/images/create"),
        ("POST", "/build"),
        ("POST", "/networks/create"),
        ("GET", "/secrets"),
        ("GET", "/info"),
    ],
)
def test_all_else_is_refused(method: str, path: str) -> None:
    assert objection(RULES, method, path, {}, None) is not None


def test_a_container_has_the_name_of_a_user() -> None:
    assert objection(RULES, "POST", "/containers/create", {"name": "alertdb_hub_1"}, CONTAINER) is not None
    assert objection(RULES, "POST", "/containers/create", {}, CONTAINER) is not None
