"""The whole archive in containers, as compose.yaml has it, with an archive of its own in a folder of the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub import GROUP, MEMBER, TEAM, TEAMMATE, free_port, wait_for

from alertdb.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from github import GitHub

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "alertdb-test"
BRIDGE, GATEWAY, SUBNET = "alertdb-test", "10.213.255.1", "10.213.255.0/24"
COMPOSE_SECONDS = 1200
PEOPLE = (MEMBER, TEAMMATE)  # those who start servers here; on an engine that others use, their homes stay


def run(*command: str, stdin: bytes | None = None, check: bool = True, seconds: float = 300) -> str:
    """Run a program and return what it printed."""
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=seconds, cwd=ROOT)
    said = done.stdout.decode(errors="replace")
    assert not check or done.returncode == 0, f"{' '.join(command)}: {said[-3000:]}{done.stderr.decode()[-5000:]}"
    return said


@cache
def compose_command() -> tuple[str, ...]:
    """Debian's docker-compose 1.29, or the engine's own plugin."""
    return ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")


def engine_socket() -> Path:
    """Where the engine listens on this machine."""
    return Path(urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")).path)


@dataclass
class Stack:
    """The containers of one compose project.

    Attributes
    ----------
    folder
        Of the tests: ``data`` in it is the archive's, ``env`` its settings.
    settings
        What an operator writes into ``.env``.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return self.settings["ALERTDB_HUB_URL"]

    def write_settings(self, github: GitHub) -> None:
        """Write down what an operator would, and tell GitHub of the app."""
        url = f"http://127.0.0.1:{free_port()}"
        github.callback = f"{url}/hub/oauth_callback"
        secret = self.folder / "client_secret"
        secret.touch(mode=0o600)
        secret.write_text(github.client_secret)
        self.settings = {
            "ALERTDB_DATA": str(self.data),
            "ALERTDB_TAG": "test",
            "ALERTDB_BACKUPS": str(self.folder / "backups"),
            "ALERTDB_METRICS_PORT": str(free_port()),
            "ALERTDB_HUB_URL": url,
            "ALERTDB_HUB_LISTEN": url,
            "ALERTDB_HUB_ORGANIZATIONS": f"{GROUP},{TEAM}",
            "ALERTDB_HUB_PARTNERSHIP": TEAM,
            "ALERTDB_HUB_CLIENT_ID": github.client_id,
            "ALERTDB_HUB_CLIENT_SECRET_FILE": str(secret),
            "ALERTDB_HUB_GITHUB_URL": github.url,
            "ALERTDB_HUB_PORT": str(free_port()),
            "ALERTDB_HUB_PROXY_API_PORT": str(free_port()),
            "ALERTDB_HUB_MEMORY": "1G",
            "ALERTDB_DOCKER_SOCKET": str(engine_socket()),
            "ALERTDB_USERS_BRIDGE": BRIDGE,
            "ALERTDB_USERS_GATEWAY": GATEWAY,
            "ALERTDB_USERS_SUBNET": SUBNET,
            "ALERTDB_MARIADB_MEMORY": "256M",
            "ALERTDB_MARIADB_LOG": "64M",
            "ALERTDB_WATCH_EVERY": "0.5",
            "ALERTDB_WATCH_SETTLE": "0.5",
        }
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.folder / "env").write_text("".join(lines))

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Run docker-compose as an operator does."""
        told = ("--env-file", str(self.folder / "env"), "--project-name", PROJECT)
        return run(*compose_command(), *told, *arguments, check=check, seconds=COMPOSE_SECONDS)

    def up(self) -> None:
        """Start everything, and wait until the hub answers."""
        self.compose("up", "--detach", "--no-build")
        wait_for(lambda: self.health("hub") == "healthy", "the hub to be healthy", 300)

    def alertdb(self, *arguments: str) -> str:
        """Run a command of `alertdb` as an operator does, in a container of its own."""
        return self.compose("run", "--rm", "-T", "--no-deps", "ingest", "alertdb", *arguments)

    def container(self, service: str) -> str:
        """Name of the container of a service."""
        labels = {"project": PROJECT, "service": service}
        wanted = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        return run("docker", "ps", "--all", *wanted, "--format", "{{.Names}}").split()[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of the container of a service."""
        return inspect(self.container(service))

    def health(self, service: str) -> str:
        """State of a service's health, as its own check finds it."""
        return str(self.inspect(service)["State"].get("Health", {}).get("Status"))

    def back_up(self, *arguments: str, check: bool = True) -> str:
        """Run a command where backups are made and restored."""
        return self.compose("run", "--rm", "-T", "backup", *arguments, check=check)

    def sql(self, statement: str) -> list[list[str]]:
        """Ask the server with MariaDB's own client, as its administrator."""
        return [line.split("\t") for line in run(*self._client(statement)).splitlines()]

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Hold a named lock of the server."""
        client = subprocess.Popen(self._client(f"SELECT GET_LOCK('{name}', 60), SLEEP(600)"))
        try:
            wait_for(lambda: self.sql(f"SELECT IS_USED_LOCK('{name}')") != [["NULL"]], "the lock")
            yield
        finally:
            client.kill()
            client.wait()

    def _client(self, statement: str) -> list[str]:
        client = "mariadb --no-defaults --socket=/run/alertdb/mariadbd.sock --user=alertdb --batch --skip-column-names"
        return ["docker", "exec", self.container("mariadb"), *client.split(), "--execute", statement]

    def put(self, tarball: Path, rights: str = "public") -> None:
        """Put a tarball into the watched folder, under its name once it is whole."""
        folder = self.data / "tarballs" / rights
        shutil.copyfile(tarball, folder / f"{tarball.name}.part")
        (folder / f"{tarball.name}.part").rename(folder / tarball.name)

    @property
    def config(self) -> Config:
        """Settings with which the tests look into the archive from outside, as its owner could."""
        view = self.folder / "view"
        if not view.is_dir():
            (view / "mariadb").mkdir(parents=True)
            (view / "secrets").symlink_to(self.data / "archive" / "secrets")
            (view / "mariadb" / "mariadbd.sock").symlink_to(volume(f"{PROJECT}_socket") / "mariadbd.sock")
        return Config(home=view, thumbnails_url=(self.data / "archive" / "thumbnails").as_uri())

    def loaded(self) -> set[str]:
        """Names of the tarballs that the ledger has."""
        return {row[0] for row in self.sql("SELECT name FROM ztf.tarballs")}

    def destroy(self) -> None:
        """Remove containers, networks and users' homes, and the archive itself."""
        users = run("docker", "ps", "--all", "--quiet", "--filter", f"network={BRIDGE}", check=False).split()
        if users:
            run("docker", "rm", "--force", *users, check=False)
        self.compose("down", "--volumes", "--timeout", "20", check=False)
        run("docker", "volume", "rm", *(f"alertdb-home-gh{number}" for number in PEOPLE), check=False)
        shutil.rmtree(self.data, ignore_errors=True)


def inspect(container: str) -> dict[str, Any]:
    """What the engine says of a container."""
    answer: list[dict[str, Any]] = json.loads(run("docker", "inspect", container))
    return answer[0]


def volume(name: str) -> Path:
    """Where the engine keeps a volume on this machine."""
    return Path(run("docker", "volume", "inspect", "--format", "{{.Mountpoint}}", name).strip())


def in_container(container: str, code: str) -> str:
    """Run Python in a container, as its user would, with the surroundings of a notebook."""
    return run("docker", "exec", "--interactive", container, "python", "-", stdin=code.encode())
