"""Where users' notebook servers run: in a container each, or as processes of the hub's own account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets.config import Config

from alertdb.hub.accounts import archive_environment
from alertdb.hub.examples import copy_examples
from alertdb.hub.jupyter import lab_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from alertdb.hub.settings import HubSettings

__all__ = ["docker", "prepare", "simple"]

FOLDER = "examples"
HOME = "/home/jovyan"
TARBALLS = "/data/tarballs"
THUMBNAILS = "/data/thumbnails"
PROCESSES = 512  # a fork bomb ends there; a notebook with many workers does not
TEMPORARY = "size=2g,mode=1777"


def docker(settings: HubSettings) -> Config:
    """Return the configuration for one container a user.

    The container has no capabilities, gains no privileges, cannot write to its own image, and sees of this machine
    only its home, and for reading the examples, the tarballs and the thumbnails. That containers do not reach each
    other is a property of the network, which docs/hub.md makes with ``enable_icc=false``.
    """
    read_only = {str(settings.notebooks): f"{HOME}/{FOLDER}"}
    if settings.tarballs:
        read_only[str(settings.tarballs)] = TARBALLS
    if settings.thumbnails:
        read_only[str(settings.thumbnails)] = THUMBNAILS
    config = Config()
    config.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
    config.DockerSpawner.image = settings.image
    config.DockerSpawner.cmd = ["jupyterhub-singleuser"]
    config.DockerSpawner.remove = True  # the home stays, in its volume
    config.DockerSpawner.network_name = settings.network
    config.DockerSpawner.use_internal_ip = True
    config.DockerSpawner.notebook_dir = HOME
    config.DockerSpawner.volumes = {"alertdb-home-{username}": HOME}
    config.DockerSpawner.read_only_volumes = read_only
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


def prepare(settings: HubSettings) -> Callable[[Any], None]:
    """Return what the hub does before each start of a user's server: say where the archive is, lay out the examples.

    Accounts of the database that belong to one user begin and end here.
    """

    def prepare_server(spawner: Any) -> None:
        told = archive_environment(settings)
        if settings.spawner == "simple":
            home = Path(spawner.home_dir)
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            copy_examples(settings.notebooks, home / FOLDER)
            told["ALERTDB_HOME"] = str(home / ".alertdb")  # not the archive's home, whose secrets this account may read
        elif settings.thumbnails:
            told["ALERTDB_THUMBNAILS_URL"] = f"file://{THUMBNAILS}"
        spawner.environment = {**spawner.environment, **told}

    return prepare_server
