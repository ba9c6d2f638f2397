"""What a user's server is told and shown of the archive: an account of the user's own, and what it may read.

The password goes into the environment of that server, which nobody but its user and who runs the machine can read,
as the token for the hub does; it is good until the server stops.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sqlalchemy import make_url

from alertdb.config import load_config
from alertdb.database import SURVEY, Account, database_url
from alertdb.people.accounts import close_account, open_account
from alertdb.people.names import account_name
from alertdb.schema import public_database
from alertdb.thumbnails import RIGHTS

if TYPE_CHECKING:
    from alertdb.hub.settings import HubSettings

__all__ = ["archive_environment", "close_for", "mounts", "thumbnails_url"]

DATA = "/data"
COUCHBASE = "ALERTDB_COUCHBASE_ACCOUNT"


def rights_classes(*, partnership: bool) -> tuple[str, ...]:
    """Return the rights classes that a user may read."""
    return RIGHTS if partnership else RIGHTS[:1]


def archive_environment(settings: HubSettings, person: int, login: str, *, partnership: bool) -> dict[str, str]:
    """Open a person's account; return the environment in which `alertdb.connect()` opens the archive through it."""
    config = load_config()
    password = open_account(config, person, login, partnership=partnership)
    address = make_url(settings.database_url) if settings.database_url else database_url(config, Account.HUB)
    database = SURVEY if partnership else public_database(SURVEY)
    url = address.set(drivername="mariadb", username=account_name(person), password=password, database=database)
    told = {"ALERTDB_DATABASE_URL": url.render_as_string(hide_password=False)}
    if settings.couchbase_readers:
        told[f"{COUCHBASE}_PUBLIC"] = settings.couchbase_readers
    if settings.couchbase_partners and partnership:
        told[f"{COUCHBASE}_PARTNERSHIP"] = settings.couchbase_partners
    return told


def close_for(person: int) -> None:
    """Lock a person's account."""
    close_account(load_config(), person)


def mounts(settings: HubSettings, *, partnership: bool) -> dict[str, str]:
    """Return where a container sees the archive's folders, for reading: path here to path there.

    Only the folders of the rights classes that the user may read are among them.
    """
    folders = {"tarballs": settings.tarballs, "exports": settings.exports, "thumbnails": settings.thumbnails}
    return {
        str(folder / rights): f"{DATA}/{name}/{rights}"
        for name, folder in folders.items()
        for rights in rights_classes(partnership=partnership)
        if folder is not None and (folder / rights).is_dir()
    }


def thumbnails_url(settings: HubSettings, *, partnership: bool) -> str:
    """Return the URL of the thumbnails that a process on this machine may read.

    For a public user it is a folder with a link to the public ones alone. A link is no wall: a process of the same
    account can open the folder beside it.
    """
    url = settings.thumbnails.as_uri() if settings.thumbnails else load_config().thumbnails
    scheme, _, path, _, _ = urlsplit(url)
    if partnership or scheme != "file":
        return url
    folder = settings.state / "thumbnails"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    link = folder / RIGHTS[0]
    target = Path(unquote(path)) / RIGHTS[0]
    if not (link.is_symlink() and link.readlink() == target):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return folder.as_uri()
