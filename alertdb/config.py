"""Where an archive lives and how it is reached: `alertdb.toml` in its home, overridden by the environment.

`ALERTDB_HOME` names the home, `ALERTDB_DATABASE_URL` a MariaDB server other than the private one, and
`ALERTDB_THUMBNAILS_URL` a thumbnail store other than the folder in the home.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alertdb.errors import ConfigDamaged, ConfigUnknown

__all__ = ["Config", "default_home", "load_config", "write_config_template"]

FILE_NAME = "alertdb.toml"
KNOWN = {"database_url": str, "thumbnails_url": str, "server_options": list}

TEMPLATE = """\
# The settings of this archive. The environment wins: ALERTDB_DATABASE_URL, ALERTDB_THUMBNAILS_URL.

# A MariaDB server of your own instead of the private one, for instance
# database_url = "mariadb://user@db.example.org:3306/"   (password: ALERTDB_DATABASE_URL or secrets/)

# Where thumbnails are kept instead of the folder thumbnails/ beside this file:
# thumbnails_url = "file:///data/thumbnails"
# thumbnails_url = "couchbase://db1,db2/ztf"   (account: ALERTDB_COUCHBASE_ACCOUNT or secrets/couchbase)

# Further options for the private server; they win over those in sql/settings/private.cnf:
# server_options = ["innodb_buffer_pool_size=8G"]
"""


@dataclass(frozen=True)
class Config:
    """The settings of one archive.

    Attributes
    ----------
    home
        Folder that holds everything of the archive: server, spool, thumbnails, secrets.
    database_url
        URL of a MariaDB server, or None for the private server in the home.
    thumbnails_url
        URL of the thumbnail store, or None for the folder in the home.
    server_options
        Options of mariadbd (``name=value``) for the private server.
    account_of_url
        Use the account that the database URL names, even where `alertdb init` left passwords for its own.
    """

    home: Path
    database_url: str | None = None
    thumbnails_url: str | None = None
    server_options: tuple[str, ...] = field(default=())
    account_of_url: bool = False

    @property
    def thumbnails(self) -> str:
        """URL of the thumbnail store in use."""
        return self.thumbnails_url or (self.home / "thumbnails").as_uri()

    @property
    def secrets(self) -> Path:
        """Folder (mode 0700) with one password file (0600) per account."""
        return self.home / "secrets"

    @property
    def spool(self) -> Path:
        """Folder for the rows of tarballs that are being loaded, which wait there."""
        return self.home / "spool"


def default_home() -> Path:
    """Return `var/` in the checkout that this package runs from, or `~/alertdb` for an installed package."""
    checkout = Path(__file__).resolve().parent.parent
    return checkout / "var" if (checkout / "pyproject.toml").exists() else Path.home() / "alertdb"


def load_config(home: Path | None = None) -> Config:
    """Read the settings of the archive in `home` (else `ALERTDB_HOME`, else the default home).

    Raises
    ------
    ConfigDamaged
        If `alertdb.toml` cannot be read.
    ConfigUnknown
        If it holds a setting that does not exist, or one of a wrong type.
    """
    chosen = Path(home or os.environ.get("ALERTDB_HOME") or default_home()).expanduser().absolute()
    settings = _read_settings(chosen / FILE_NAME)
    return Config(
        home=chosen,
        database_url=os.environ.get("ALERTDB_DATABASE_URL") or settings.get("database_url"),
        thumbnails_url=os.environ.get("ALERTDB_THUMBNAILS_URL") or settings.get("thumbnails_url"),
        server_options=tuple(settings.get("server_options", ())),
    )


def write_config_template(home: Path) -> None:
    """Put a commented `alertdb.toml` into the home, unless there is one."""
    path = home / FILE_NAME
    if not path.exists():
        path.write_text(TEMPLATE, encoding="utf-8")


def _read_settings(path: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigDamaged(path, str(error)) from error
    for name, value in settings.items():
        if name not in KNOWN or not isinstance(value, KNOWN[name]):
            raise ConfigUnknown(path, name, KNOWN)
    return settings
