"""What can stand against a backup or a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "ArchiveNotEmpty",
    "BackupDamaged",
    "BackupNotWritten",
    "BackupOvertaken",
    "BackupProgramMissing",
    "BackupRoom",
    "BackupServerFailed",
    "BackupUnderWay",
    "DataElsewhere",
    "DataFolderUnnamed",
    "NoBackup",
    "RestoreNotWritten",
]


class BackupProgramMissing(AlertdbError):
    """The program that copies a running server is not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"The program '{program}' is not installed. On Debian: sudo apt-get install mariadb-backup")


class BackupUnderWay(AlertdbError):
    """Another process writes to the same backup folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another process backs up into {folder}. Wait until it has ended, or name another folder.")


class BackupRoom(AlertdbError):
    """A disk has too little room."""

    def __init__(self, what: str, folder: Path, need: int, free: int) -> None:
        super().__init__(
            f"{what} needs about {need / 1e6:,.0f} MB on the disk of {folder}, where {free / 1e6:,.0f} MB are free. "
            "Nothing was copied: make room, or name another folder, and run the same command again."
        )


class BackupNotWritten(AlertdbError):
    """The file system refused a file of the backup."""

    def __init__(self, folder: Path, why: str, *, is_full: bool) -> None:
        mend = "make room (--keep removes old ones after a backup)" if is_full else "mend that, or name another folder"
        super().__init__(
            f"The backup cannot be written to {folder}: {why}. Earlier backups are as they were: {mend}, then run the "
            "same command again."
        )


class BackupServerFailed(AlertdbError):
    """The server's files could not be copied, or the copy did not start."""

    def __init__(self, step: str, reason: str, log: Path) -> None:
        super().__init__(
            f"The backup is not whole: {step} failed ({reason}). Earlier backups are as they were; {log} has the whole "
            "story. Mend that and run the same command again."
        )


class BackupOvertaken(AlertdbError):
    """A tarball was replaced while it was backed up."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The thumbnails in {name} were replaced while the archive was being backed up, so rows and thumbnails of "
            "the backup may not fit. Run the same command again, with no 'ingest --replace' beside it."
        )


class DataElsewhere(UsageError):
    """The server's data folder cannot be read from here."""

    def __init__(self, data: str) -> None:
        super().__init__(
            f"The server keeps its tables in {data}, which cannot be read here; a backup copies these files. Run it "
            "on the server's machine as a user who may read them, or mount the folder here under the same path."
        )


class DataFolderUnnamed(UsageError):
    """A restore for a server of the site does not know where its tables go."""

    def __init__(self) -> None:
        super().__init__(
            "This archive uses the server of ALERTDB_DATABASE_URL (or database_url in alertdb.toml): stop that server, "
            "and name its data folder, which must be missing or empty, by --data-directory."
        )


class NoBackup(UsageError):
    """A folder holds no whole backup."""

    def __init__(self, folder: Path, found: str) -> None:
        super().__init__(
            f"There is no whole backup in {folder}: {found}. Expected is a folder that 'alertdb backup' has filled, or "
            "one backup in it."
        )


class BackupDamaged(AlertdbError):
    """Files of a backup are not as they were written."""

    def __init__(self, backup: Path, found: Sequence[str]) -> None:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        super().__init__(
            f"The backup {backup} is damaged: {'; '.join(found[:3])}{more}. Nothing was restored: take an older "
            "backup, or the same one from another disk."
        )


class ArchiveNotEmpty(AlertdbError):
    """A restore would write over something."""

    def __init__(self, found: Path) -> None:
        super().__init__(
            f"{found} is not empty, and a restore never writes over an archive. Move the old one away first, or "
            "restore into another home (--home FOLDER; an alertdb.toml that you put there says where thumbnails go)."
        )


class RestoreNotWritten(AlertdbError):
    """The file system refused a file of the restored archive."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(
            f"The archive cannot be restored to {folder}: {why}. Nothing of it is in use: make room, or make the "
            "folder writable, then run the same command again."
        )
