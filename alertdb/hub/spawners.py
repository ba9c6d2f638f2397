"""Where users' notebook servers run: in a container each, or as processes of the hub's own account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets.config import Config

from alertdb.errors import AlertdbError
from alertdb.hub.accounts import DATA, archive_environment, close_for, mounts, thumbnails_url
from alertdb.hub.examples import copy_examples
from alertdb.hub.jupyter import lab_options
from alertdb.people.names import person_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from alertdb.hub.settings import HubSettings

__all__ = ["close", "docker", "prepare", "simple"]

FOLDER = "examples"
HOME = "/home/jovyan"
THUMBNAILS = f"{DATA}/thumbnails"
PROCESSES = 512  # a fork bomb ends there; a notebook with many workers does not
TEMPORARY = "size=2g,mode=1777"


def docker(settings: HubSettings) -> Config:
    """Return the configuration for one container a user.

    The container has no capabilities, gains no privileges, cannot write to its own image, and sees of this machine
    only its home, and for reading the examples and (see `prepare`) what its user may read of the archive. That
    containers do not reach each other is a property of the network, which docs/hub.md makes with ``enable_icc=false``.
    """
    config = Config()
    config.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
    config.DockerSpawner.image = settings.image
    config.DockerSpawner.cmd = ["jupyterhub-singleuser"]
    config.DockerSpawner.remove = True  # the home stays, in its volume
    config.DockerSpawner.network_name = settings.network
    config.DockerSpawner.use_internal_ip = True
    config.DockerSpawner.notebook_dir = HOME
    config.DockerSpawner.volumes = {"alertdb-home-{username}": HOME}
    config.DockerSpawner.mem_limit = settings.memory
    config.DockerSpawner.cpu_limit = settings.cpus
    config.DockerSpawner.extra_host_config = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": PROCESSES,
        "read_only": True,
        "tmpfs": {"/tmp": TEMPORARY},  # noqa: S108 (of the container alone)
        "oom_score_adj": 500,  # notebooks go before the database does
    }
    return config


def simple(settings: HubSettings) -> Config:
    """Return the configuration for processes of the hub's own account: nothing keeps users apart.

    Whoever is let in can read the files of all others and the hub's secrets. It is for tests, and for one machine
    whose users trust each other with everything the account can do.
    """
    config = Config()
    config.JupyterHub.spawner_class = "simple"
    config.SimpleLocalProcessSpawner.home_dir_template = str(settings.state / "homes" / "{username}")
    config.SimpleLocalProcessSpawner.args = [*lab_options(), "--LabApp.extension_manager=readonly"]
    return config


def prepare(settings: HubSettings) -> Callable[[Any], Awaitable[None]]:
    """Return what the hub does before each start of a user's server.

    It opens the user's account of the database, says where the archive is, and lays out what there is to read.
    """

    async def prepare_server(spawner: Any) -> None:
        auth_state = await spawner.user.get_auth_state() or {}
        partnership = bool(auth_state.get("partnership"))
        login = str(auth_state.get(spawner.authenticator.user_auth_state_key, {}).get("login", spawner.user.name))
        person = person_of(spawner.user.name)
        assert person is not None  # noqa: S101 (names are made by the authenticator)
        try:
            told = await asyncio.to_thread(archive_environment, settings, person, login, partnership=partnership)
        except AlertdbError as error:
            error.jupyterhub_message = str(error)  # type: ignore[attr-defined] # what the page shows
            raise
        show = _show_folders if settings.spawner == "simple" else _show_mounts
        spawner.environment = {**spawner.environment, **told, **show(settings, spawner, partnership)}

    return prepare_server


async def close(spawner: Any) -> None:
    """Lock the account of a user whose server has stopped; if that fails, the service `leavers` does it later."""
    person = person_of(spawner.user.name)
    if person is not None:
        await asyncio.to_thread(close_for, person)


def _show_folders(settings: HubSettings, spawner: Any, partnership: bool) -> dict[str, str]:
    home = Path(spawner.home_dir)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy_examples(settings.notebooks, home / FOLDER)
    return {
        "ALERTDB_THUMBNAILS_URL": thumbnails_url(settings, partnership=partnership),
        "ALERTDB_HOME": str(home / ".alertdb"),  # not the archive's home, whose secrets this account may read
    }


def _show_mounts(settings: HubSettings, spawner: Any, partnership: bool) -> dict[str, str]:
    examples = {str(settings.notebooks): f"{HOME}/{FOLDER}"}
    spawner.read_only_volumes = examples | mounts(settings, partnership=partnership)
    thumbnails = f"file://{THUMBNAILS}" if settings.thumbnails else thumbnails_url(settings, partnership=True)
    return {"ALERTDB_THUMBNAILS_URL": thumbnails}
