"""The errors of alertdb: each says what was found, what was expected, and what to do next.

Every error that a user can cause is a subclass of `AlertdbError`. Its text is one line; the programs print that
line and exit with `exit_code`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class AlertdbError(Exception):
    """Base of all errors that have a one-line explanation for the user."""

    exit_code = 1


class UsageError(AlertdbError):
    """What was asked for cannot be meant: a wrong argument or option."""

    exit_code = 2


class ConfigDamaged(AlertdbError):
    """The settings file cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}. Mend that line, or move the file away.")


class ConfigUnknown(AlertdbError):
    """The settings file holds a name that is no setting, or a value of a wrong type."""

    def __init__(self, path: Path, name: str, known: Mapping[str, type]) -> None:
        expected = ", ".join(f"{key} ({kind.__name__})" for key, kind in known.items())
        super().__init__(f"{path} sets '{name}', which is no setting or of a wrong type. Known: {expected}.")


class ServerMissing(AlertdbError):
    """The programs of the MariaDB server are not installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"The program '{program}' is not installed. On Debian: sudo apt-get install mariadb-server")


class ServerStartFailed(AlertdbError):
    """The private server did not come up."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(f"The private MariaDB did not start: {reason} The whole story is in {log}.")


class ServerStopped(AlertdbError):
    """No server answers."""

    def __init__(self, where: str, hint: str) -> None:
        super().__init__(f"No MariaDB server answers at {where}. {hint}")


class ServerRefused(AlertdbError):
    """The server answers and does not let us in."""

    def __init__(self, where: str, account: str, reason: str) -> None:
        super().__init__(
            f"The MariaDB server at {where} refused the account '{account}': {reason}. "
            "Check ALERTDB_DATABASE_URL, or run 'alertdb init' as the archive's owner."
        )


class ArchiveMissing(AlertdbError):
    """There is no archive where one was expected."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"There is no archive in {home}. Make one with 'alertdb init', or set ALERTDB_HOME to where yours is."
        )


class SchemaChanged(AlertdbError):
    """A schema file that was applied before has another text now."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The schema file {name} was changed after it had been applied to this archive. Schema files are "
            "append-only: restore it and put the change into a new file."
        )


class UnsupportedUrl(UsageError):
    """A database URL of a kind that alertdb does not speak."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"'{found}' is no database URL that alertdb knows; expected mariadb://user:password@host:port/ "
            "or mariadb:///?unix_socket=/path/to/socket"
        )


class LoadRefused(AlertdbError):
    """Rows did not arrive in a table as they were written; nothing of the tarball is kept."""

    def __init__(self, table: str, file: str, rows: int, affected: int, warnings: Sequence[str]) -> None:
        found = "; ".join(warnings) or f"it counted {affected} rows"
        super().__init__(
            f"{table} did not take {file} as it was written ({rows} rows): {found}. Nothing of this tarball was kept."
        )

    @classmethod
    def because(cls, what: str, reason: str) -> LoadRefused:
        """Build the error from what the server said."""
        error = cls.__new__(cls)
        AlertdbError.__init__(error, f"The database refused {what}: {reason}. Nothing of it was kept.")
        return error


class ServerLost(AlertdbError):
    """The connection to the server broke in the middle of something."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"The database server was lost while loading {what} ({reason}). Nothing is half loaded: "
            "see that the server is up ('alertdb start'), then run the same command again."
        )


class DatabaseFull(AlertdbError):
    """The disk of the database is full."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(
            f"The disk of the database is full ({reason}). Nothing of {what} was kept: make room, then run the same "
            "command again ('alertdb ingest --dry-run' says how much is needed)."
        )


class TarballChanged(AlertdbError):
    """A tarball of this name is in, with another content."""

    def __init__(self, name: str, loaded_at: object, known: str, found: str) -> None:
        super().__init__(
            f"{name} was loaded on {loaded_at:%Y-%m-%d %H:%M} with another content (SHA-256 {known[:12]}…, now "
            f"{found[:12]}…). Nothing was changed. If the survey re-issued the night, give the new file another name."
        )


class TooManyRejects(AlertdbError):
    """More packets were refused than the operator accepts."""

    def __init__(self, rejects: int, accepted: int) -> None:
        super().__init__(
            f"{rejects} packets were rejected, more than the {accepted} of --max-bad. The rest is loaded; "
            "'alertdb rejects' names them and says why."
        )
class SourceMissing(UsageError):
    """A path to load from does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} does not exist. Name .tar.gz, .tar or .avro files, or folders that hold such files.")


class SourceUnknown(UsageError):
    """A path to load from is something that cannot be loaded."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"{path} is {found}; expected a .tar.gz, .tgz, .tar or .avro file, or a folder that holds such files."
        )


class SourceFolderEmpty(UsageError):
    """A folder to load from holds nothing that can be loaded."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"The folder {path} holds {found}; expected .tar.gz, .tgz, .tar or .avro files directly in it. "
            "Folders inside it are not searched: name them."
        )


class SourceUnreadable(AlertdbError):
    """The system does not let a file or folder be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}. Mend that and run the same command again.")


class SourceChanged(AlertdbError):
    """A file was written to while it was read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} changed while it was being read. Wait until it is complete and run the same command again."
        )


class NotATarball(AlertdbError):
    """A file is not what its name says."""

    def __init__(self, path: Path, found: str, expected: str) -> None:
        super().__init__(f"{path} is {found}; expected {expected}. Fetch it again, or name it after what it is.")


class DamagedTarball(AlertdbError):
    """A tarball is not whole. `damage` says what is wrong and where, without the file's name and advice."""

    def __init__(self, path: Path, what: str, where: str, unpacked_byte: int, file_byte: int) -> None:
        self.damage = f"{what}: {where}, unpacked byte {unpacked_byte}, near byte {file_byte} of the file"
        super().__init__(
            f"{path} is damaged: {self.damage}. Fetch it again, or load what is whole with --allow-damaged."
        )


class TarballTooLarge(AlertdbError):
    """A tarball unpacks to far more than any night of alerts does: a decompression bomb, or a wrong file."""

    def __init__(self, path: Path, found: str, limit: str) -> None:
        super().__init__(f"{path} {found}; at most {limit} is accepted. It holds no alerts: leave it out.")
