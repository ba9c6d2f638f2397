"""Removing one tarball: its rows in one transaction, then its thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.cli.output import console
from alertdb.errors import UnknownTarball
from alertdb.thumbnails import RIGHTS, open_store
from ingest.ledger import find_entry, list_entries
from ingest.load import database_errors
from ingest.locks import MERGE_LOCK_SECONDS, alerts_lock, holding, merge_lock
from ingest.removal import Removal, Removed
from ingest.report import tell_removed
from ingest.surveys.ztf import Ztf
from ingest.turns import spool_folder, turn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alertdb.config import Config
    from ingest.surveys import Survey

__all__ = ["remove_tarball", "report_remove"]


def remove_tarball(
    name: str, config: Config, survey: Survey, places: Sequence[Path] = (), *, dry_run: bool = False
) -> Removed | None:
    """Remove a tarball as if it had never been loaded; return what that did, None if only thumbnails were left of it.

    Interrupted at any moment it leaves the tarball in or out; thumbnails that stay behind go when it is run again.

    Parameters
    ----------
    name
        Its name in the ledger.
    places
        Files and folders in which the tarballs of the nights around may lie.
    dry_run
        Do everything, and take it back.

    Raises
    ------
    UnknownTarball
        If there is nothing of it.
    LockNotGiven
        If others give no turn.
    """
    with database_errors(name), turn(config, survey, name) as connection:
        entry = find_entry(connection, name)
        if entry is None:
            if dry_run or not _remove_thumbnails(config, name):
                raise UnknownTarball(name, [str(other["name"]) for other in list_entries(connection)])
            return None
        with spool_folder(config.spool, name) as folder:
            removal = Removal(connection, survey, entry, folder, places)
            with (
                holding(connection, merge_lock(survey.name), MERGE_LOCK_SECONDS, name),
                holding(connection, alerts_lock(survey.name), MERGE_LOCK_SECONDS, name),
            ):
                removed = removal.run()
                if dry_run:
                    connection.rollback()
                    return removed
                connection.commit()
    _remove_thumbnails(config, name)
    return removed


def report_remove(name: str, config: Config, places: Sequence[Path], *, dry_run: bool) -> None:
    """Remove a tarball and tell of it."""
    removed = remove_tarball(name, config, Ztf(), places, dry_run=dry_run)
    if removed is None:
        console().print(f"{name}: thumbnails that an interrupted removal had left are gone", soft_wrap=True)
        return
    tell_removed(console(), f"{name}: {'would go' if dry_run else 'removed'}", removed)


def _remove_thumbnails(config: Config, name: str) -> bool:
    store = open_store(config.thumbnails, readonly=False, secrets=config.secrets)
    return sum(store.remove(name, rights) for rights in RIGHTS) > 0
