"""How a user's server reaches the archive: the one place that hands out an account of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.config import load_config
from alertdb.database import Account, database_url

if TYPE_CHECKING:
    from alertdb.hub.settings import HubSettings

__all__ = ["archive_environment"]


def archive_environment(settings: HubSettings) -> dict[str, str]:
    """Return the environment in which `alertdb.connect()` opens the archive, through the account that only reads.

    Its password is what every user gets to see who looks; it opens nothing that the notebook does not show anyway.
    """
    config = load_config()
    url = settings.database_url
    if url is None:
        reader = database_url(config, Account.READER, "ztf").set(drivername="mariadb")
        url = reader.render_as_string(hide_password=False)
    thumbnails = settings.thumbnails.as_uri() if settings.thumbnails else config.thumbnails
    environment = {"ALERTDB_DATABASE_URL": url, "ALERTDB_THUMBNAILS_URL": thumbnails}
    if settings.couchbase_readers:
        environment["ALERTDB_COUCHBASE_ACCOUNT_PUBLIC"] = settings.couchbase_readers
    return environment
