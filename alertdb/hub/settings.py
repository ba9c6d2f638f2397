"""What differs from site to site, read from the environment; `jupyterhub/hub.env.example` explains each value."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alertdb.hub.errors import SecretExposed, SettingMissing, SettingUnusable
from alertdb.hub.examples import EXAMPLES
from alertdb.people.names import account_name
from alertdb.thumbnails import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HubSettings", "ensure_secret", "read_settings"]

PREFIX = "ALERTDB_HUB_"
SPAWNERS = ("docker", "simple")
ORGANIZATION = r"[A-Za-z0-9][A-Za-z0-9-]*"  # as GitHub's addresses have it; a team's is like it, also with _ and .


@dataclass(frozen=True)
class HubSettings:
    """The settings of one hub.

    Attributes
    ----------
    url
        Address under which people reach the hub, without a path.
    organizations
        Whose members may come in: ``organization`` or ``organization:team``.
    partnership
        Whose members also read partnership alerts (programid 2 and 3), written like `organizations`.
    admins
        GitHub's numeric ids of the hub's admins, who must be members like all others.
    client_id, client_secret
        Of the OAuth app that is registered with GitHub.
    github_url
        Address of GitHub, or of a GitHub Enterprise server.
    listen
        Address that the proxy listens at, behind whatever ends TLS.
    hub_address, hub_port
        Where users' servers reach the hub: with containers, this machine's address in their network.
    proxy_api_port
        Port on the loopback for the proxy's control.
    subdomains
        Whether each user's server has a host name of its own under that of the hub.
    state
        Folder for what the hub remembers, its secrets among it.
    spawner
        ``docker`` or ``simple``.
    image, network, memory, cpus
        Of a user's container; `memory` as JupyterHub writes it (``4G``).
    tarballs, exports
        Folders that containers see at ``/data/tarballs`` and ``/data/exports``, or None; in each lie ``public`` and
        ``partnership``.
    thumbnails
        Folder with the archive's thumbnails on this machine, or None for the archive's own.
    notebooks
        Folder with the example notebooks.
    database_url
        Address of the archive's server as notebooks reach it, without an account, or None for that of ALERTDB_HOME.
    couchbase_readers, couchbase_partners
        Accounts (``NAME:PASSWORD``) with which notebooks read the public and the partnership's thumbnails in
        Couchbase, or empty.
    check_seconds
        How often memberships are asked for.
    patience_seconds
        For how long GitHub may be silent before those whom it does not confirm are out.
    idle_seconds, oldest_seconds
        After how long an idle server is stopped, and any server.
    concurrent_spawns, servers
        How many servers may start at once, and run at once.
    """

    url: str
    organizations: tuple[str, ...]
    partnership: tuple[str, ...]
    admins: tuple[int, ...]
    client_id: str
    client_secret: str
    github_url: str
    listen: str
    hub_address: str
    hub_port: int
    proxy_api_port: int
    subdomains: bool
    state: Path
    spawner: str
    image: str
    network: str
    memory: str
    cpus: float
    tarballs: Path | None
    exports: Path | None
    thumbnails: Path | None
    notebooks: Path
    database_url: str | None
    couchbase_readers: str
    couchbase_partners: str
    check_seconds: int
    patience_seconds: int
    idle_seconds: int
    oldest_seconds: int
    concurrent_spawns: int
    servers: int

    @property
    def github_api(self) -> str:
        """Address of GitHub's API; an Enterprise server has it under a path of its own."""
        return "https://api.github.com" if self.github_url == "https://github.com" else f"{self.github_url}/api/v3"

    @property
    def admin_names(self) -> set[str]:
        """Names of the admins in the hub."""
        return {user_name(number) for number in self.admins}


def user_name(github_id: int) -> str:
    """Return the name that a person has in the hub: it outlives a changed login, and no other account can take it."""
    return account_name(github_id)


def read_settings(environment: Mapping[str, str]) -> HubSettings:
    """Read the settings of the hub.

    Raises
    ------
    SettingMissing, SettingUnusable
        If a setting that has no default is not there, or if one cannot be used.
    SecretExposed
        If the file with the client secret can be read by others.
    """
    source = _Source(environment)
    return HubSettings(
        url=source.address("URL", "the address of the hub, as https://alerts.example.org"),
        organizations=source.organizations("ORGANIZATIONS", needed="whose members may log in; nobody does without"),
        partnership=source.organizations("PARTNERSHIP"),
        admins=source.numbers("ADMINS"),
        client_id=source.required("CLIENT_ID", "the client id of the OAuth app"),
        client_secret=source.secret("CLIENT_SECRET", "the client secret of the OAuth app"),
        github_url=source.address("GITHUB_URL", default="https://github.com"),
        listen=source.address("LISTEN", default="http://127.0.0.1:8000"),
        hub_address=source.matching("ADDRESS", "127.0.0.1", r"[0-9.]+", "an IPv4 address of this machine"),
        hub_port=source.number("PORT", 8081),
        proxy_api_port=source.number("PROXY_API_PORT", 8001),
        subdomains=source.choice("SUBDOMAINS", ("no", "yes")) == "yes",
        state=source.folder("STATE") or Path("/var/lib/alertdb-hub"),
        spawner=source.choice("SPAWNER", SPAWNERS),
        image=source.text("IMAGE", "alertdb-notebook"),
        network=source.text("NETWORK", "alertdb-users"),
        memory=source.matching("MEMORY", "4G", r"\d+[KMGT]", "a number and K, M, G or T"),
        cpus=float(source.matching("CPUS", "2", r"\d+(\.\d+)?", "a number of cores")),
        tarballs=source.classes("TARBALLS"),
        exports=source.classes("EXPORTS"),
        thumbnails=source.folder("THUMBNAILS"),
        notebooks=source.folder("NOTEBOOKS") or EXAMPLES,
        database_url=source.database("DATABASE_URL"),
        couchbase_readers=source.optional_secret("COUCHBASE_READERS"),
        couchbase_partners=source.optional_secret("COUCHBASE_PARTNERS"),
        check_seconds=source.number("CHECK_SECONDS", 120, at_most=300),
        patience_seconds=source.number("PATIENCE_HOURS", 24) * 3600,
        idle_seconds=source.number("IDLE_HOURS", 2) * 3600,
        oldest_seconds=source.number("OLDEST_HOURS", 168) * 3600,
        concurrent_spawns=source.number("CONCURRENT_SPAWNS", 10),
        servers=source.number("SERVERS", 100),
    )


def ensure_secret(folder: Path, name: str) -> str:
    """Return the hub's own secret of that name (64 hexadecimal digits), made on first use in a file of mode 0600.

    Raises
    ------
    SecretExposed
        If others can read the file.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = folder / f".{name}"
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        unfinished.rename(path)
    return _read_secret(path)


def _read_secret(path: Path) -> str:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise SecretExposed(path, mode)
    return path.read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class _Source:
    """The environment, read by the short names of settings."""

    environment: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.environment.get(PREFIX + name, "").strip() or default

    def required(self, name: str, meaning: str) -> str:
        value = self.text(name, "")
        if not value:
            raise SettingMissing(PREFIX + name, meaning)
        return value

    def secret(self, name: str, meaning: str) -> str:
        value = self.optional_secret(name)
        return value or self.required(name, f"{meaning}, in {PREFIX}{name}_FILE the path of a file that holds it")

    def optional_secret(self, name: str) -> str:
        file = self.folder(f"{name}_FILE")
        if file is None:
            return self.text(name, "")
        if not file.is_file():
            raise SettingUnusable(f"{PREFIX}{name}_FILE", str(file), "the path of a file")
        return _read_secret(file)

    def matching(self, name: str, default: str, pattern: str, expected: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(pattern, value):
            raise SettingUnusable(PREFIX + name, value, expected)
        return value

    def number(self, name: str, default: int, at_most: int = 10**6) -> int:
        value = int(self.matching(name, str(default), r"\d{1,9}", "a whole number"))
        if not 1 <= value <= at_most:
            raise SettingUnusable(PREFIX + name, str(value), f"a whole number from 1 to {at_most}")
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        expected = "GitHub's numeric ids, separated by commas (https://api.github.com/users/LOGIN shows them as id)"
        words = self.text(name, "").replace(",", " ").split()
        if not all(word.isdecimal() for word in words):
            raise SettingUnusable(PREFIX + name, " ".join(words), expected)
        return tuple(int(word) for word in words)

    def choice(self, name: str, known: tuple[str, ...]) -> str:
        return self.matching(name, known[0], "|".join(known), " or ".join(known))

    def folder(self, name: str) -> Path | None:
        value = self.text(name, "")
        return Path(value).expanduser().absolute() if value else None

    def address(self, name: str, meaning: str = "", *, default: str = "") -> str:
        value = self.text(name, default) if default else self.required(name, meaning)
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise SettingUnusable(PREFIX + name, value, "http(s)://HOST or http(s)://HOST:PORT, without a path")
        return value.rstrip("/")

    def organizations(self, name: str, needed: str = "") -> tuple[str, ...]:
        text = self.required(name, needed) if needed else self.text(name, "")
        words = text.replace(",", " ").split()
        for word in words:
            if not re.fullmatch(rf"{ORGANIZATION}(:[A-Za-z0-9][\w.-]*)?", word):
                raise SettingUnusable(PREFIX + name, word, "ORGANIZATION or ORGANIZATION:TEAM as in GitHub's addresses")
        return tuple(words)

    def classes(self, name: str) -> Path | None:
        """Return a folder that has one folder for each rights class."""
        folder = self.folder(name)
        if folder is not None and not any((folder / rights).is_dir() for rights in RIGHTS):
            raise SettingUnusable(PREFIX + name, str(folder), f"a folder in which {' or '.join(RIGHTS)} is a folder")
        return folder

    def database(self, name: str) -> str | None:
        value = self.text(name, "")
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("mariadb", "mysql") or "@" in parts.netloc or parts.path.strip("/"):
            shown = f"…@{value.rpartition('@')[2]}" if "@" in value else value
            raise SettingUnusable(
                PREFIX + name, shown, "mariadb://HOST:PORT/, as each person has an account of its own"
            )
        return value
