"""What a backup consists of, and which of those in a folder are whole."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alertdb.backup.errors import BackupDamaged, NoBackup

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "DATA",
    "FACTS",
    "SUMS",
    "THUMBNAILS",
    "UNFINISHED",
    "Facts",
    "choose_backup",
    "list_backups",
    "read_facts",
    "read_sums",
    "time_name",
]

DATA = "mariadb/data"
THUMBNAILS = "thumbnails"
FACTS = "backup.json"
SUMS = "SHA256SUMS"
UNFINISHED = "unfinished"
TIME_NAME = "%Y-%m-%dT%H-%M-%SZ"
WHOLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ")
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True)
class Facts:
    """What a backup says of itself.

    Attributes
    ----------
    made_at
        When the copy of the tables was taken, UTC, ISO 8601.
    version, server
        Versions of alertdb and of MariaDB.
    tarballs, alerts
        How many the ledger of the copy has.
    thumbnails
        Where the archive keeps its thumbnails; they are in the backup if that is a folder.
    files, bytes
        Of everything that SHA256SUMS lists but this file.
    """

    made_at: str
    version: str
    server: str
    tarballs: int
    alerts: int
    thumbnails: str
    files: int
    bytes: int
    format: int = 1

    def text(self) -> str:
        """Return it as the file holds it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def time_name(when: datetime) -> str:
    """Return the name of a backup that was made at this time."""
    return when.astimezone(UTC).strftime(TIME_NAME)


def list_backups(folder: Path) -> list[Path]:
    """Return the whole backups in a folder, oldest first."""
    return sorted(path for path in folder.iterdir() if WHOLE.fullmatch(path.name) and (path / SUMS).is_file())


def choose_backup(folder: Path) -> Path:
    """Return the backup that a folder is, or the newest whole one in it.

    Raises
    ------
    NoBackup
        If there is none.
    """
    if not folder.is_dir():
        raise NoBackup(folder, "it is no folder")
    if folder.name == UNFINISHED:
        raise NoBackup(folder, "it is one that was not completed")
    if (folder / SUMS).is_file():
        return folder
    whole = list_backups(folder)
    if not whole:
        raise NoBackup(folder, "it has one that was not completed" if (folder / UNFINISHED).is_dir() else "it has none")
    return whole[-1]


def read_sums(backup: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a backup, by path.

    Raises
    ------
    BackupDamaged
        If the list is not as it was written.
    """
    lines = (backup / SUMS).read_text(encoding="utf-8").splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    sums = {match[2]: match[1] for match in matches if match is not None}
    if len(sums) != len(lines) or FACTS not in sums or len(sums) != read_facts(backup).files + 1:
        raise BackupDamaged(backup, [f"{SUMS} is not the list that was written"])
    return sums


def read_facts(backup: Path) -> Facts:
    """Return what a backup says of itself.

    Raises
    ------
    BackupDamaged
        If that cannot be read.
    """
    try:
        return Facts(**json.loads((backup / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BackupDamaged(backup, [f"{FACTS} cannot be read ({error})"]) from error
