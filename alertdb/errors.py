"""The errors of alertdb: each says what was found, what was expected, and what to do next.

Every error that a user can cause is a subclass of `AlertdbError`. Its text is one line; the programs print that
line and exit with `exit_code`.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


class AlertdbError(Exception):
    """Base of all errors that have a one-line explanation for the user."""

    exit_code = 1

    def __reduce__(self) -> tuple[object, ...]:
        """Let an error come back from another process: its message is built, its facts are gone."""
        return _rebuild, (type(self), str(self))


def _rebuild(kind: type[AlertdbError], message: str) -> AlertdbError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


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


class ServerStopFailed(AlertdbError):
    """The private server does not end."""

    def __init__(self, pid: int, seconds: int, log: Path) -> None:
        super().__init__(
            f"The private MariaDB (process {pid}) has been asked to end and still runs after {seconds // 60} minutes: "
            "it may be rolling a load back, or writing a large cache to a slow disk. "
            f"Wait for it rather than kill it; its log is {log}."
        )


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


class SchemaOlder(AlertdbError):
    """The archive's tables are those of an earlier version."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"The tables of this archive are older than this alertdb: {', '.join(missing)} not applied. Nothing was "
            "changed: back up, then upgrade them with 'alertdb init' (docs/runbook.md)."
        )


class SchemaNewer(AlertdbError):
    """The archive's tables are those of a later version."""

    def __init__(self, unknown: Sequence[str]) -> None:
        super().__init__(
            f"The tables of this archive are newer than this alertdb, which does not know {', '.join(unknown)}. "
            "Nothing was changed: update alertdb, then run the same command again."
        )


class SummaryOlder(AlertdbError):
    """The summary lacks columns that this version fills."""

    def __init__(self, database: str, missing: Sequence[str]) -> None:
        super().__init__(
            f"{database}.summary has no column {', '.join(missing)}, which this alertdb fills. Nothing was changed: "
            "make it anew with 'alertdb summary rebuild', then run the same command again."
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

    def __init__(self, table: str, rows: int, taken: int, warnings: Sequence[str]) -> None:
        found = "; ".join(warnings) or f"it counted {taken} rows"
        super().__init__(
            f"{table} did not take {rows} rows as they were sent: {found}. Nothing of this tarball was kept."
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


class LockNotGiven(AlertdbError):
    """Another connection holds a lock of the server for longer than anybody should have to wait."""

    def __init__(self, what: str, name: str, seconds: float, holder: int | None) -> None:
        found = "nobody holds it now" if holder is None else f"connection {holder} of the server holds it"
        what_to_see = (
            "that no other command runs" if holder is None else "what that does (SHOW PROCESSLIST), let it end"
        )
        super().__init__(
            f"{what} got no turn: the server did not give the lock '{name}' within {seconds:,g} s, and {found}. "
            f"Nothing was changed: see {what_to_see}, then run the same command again."
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
            f"{found[:12]}…). Nothing was changed. If the survey re-issued the night: alertdb ingest --replace."
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
        super().__init__(f"{path} {found}; at most {limit} is plausible. Leave it out, or fetch it again.")


class NoPrivateServer(UsageError):
    """Start and stop were asked for, but the archive uses a server of the site."""

    def __init__(self) -> None:
        super().__init__(
            "This archive uses the server of ALERTDB_DATABASE_URL (or database_url in alertdb.toml); "
            "start and stop are for the private server. Ask whoever runs that server."
        )


class UnknownTarball(AlertdbError):
    """The ledger has no tarball of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "'alertdb nights' lists those that are."
        super().__init__(f"No tarball '{name}' is in the archive. {hint}")


class FilesNotWritten(AlertdbError):
    """A folder does not take the files that were asked for."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(
            f"The files cannot be written to {folder}: {why}. None was left there half written: make room, or name "
            "another folder, and run the same command again."
        )


class UnknownObject(AlertdbError):
    """No alert of this object is in the archive."""

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        hint = f"Nearest known: {', '.join(near)}." if near else "Its name is case-sensitive, such as ZTF21abiuvdk."
        super().__init__(f"No object '{name}' is in the archive. {hint}")


class UnknownThumbnailStore(UsageError):
    """A thumbnail store's URL that nothing can open."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"Thumbnails cannot be opened at {url!r}: {found}. Expected is file:///folder/of/thumbnails "
            "or couchbase://host/bucket; set ALERTDB_THUMBNAILS_URL to that."
        )


class NoThumbnailStore(AlertdbError):
    """The folder of a thumbnail store is not there."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"There are no thumbnails: {folder} is no folder that can be read. "
            "Check ALERTDB_THUMBNAILS_URL and the mount, or ingest a tarball, which makes it."
        )


class ReadOnlyThumbnails(AlertdbError):
    """Somebody tried to change a thumbnail store that was opened to read."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"The thumbnails in {folder} were opened for reading only; open_store(url, readonly=False) can write."
        )


class BadTarballName(UsageError):
    """A tarball's name that cannot be a file's name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A tarball cannot be called {name!r} in the thumbnail store; "
            "expected a name without '/', control characters and a leading '.'. Rename the tarball."
        )


class UnknownRights(UsageError):
    """A rights class that does not exist."""

    def __init__(self, rights: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no rights class {rights!r}; expected {' or '.join(known)}.")


class UnknownCandid(AlertdbError):
    """No thumbnail is stored for a candid."""

    def __init__(self, candid: int, where: str) -> None:
        super().__init__(
            f"There is no thumbnail of candid {candid} in {where}. "
            "Check the number, or ingest the tarball that holds this alert."
        )


class DamagedThumbnail(AlertdbError):
    """A stored document is not what was written. `found` says how one sees that, without the rest."""

    def __init__(self, what: str, found: str) -> None:
        self.found = found
        super().__init__(
            f"{what} is damaged: {found}. Restore it from a copy, or ingest its tarball again with --replace."
        )


class DamagedThumbnailFile(DamagedThumbnail):
    """A sealed file cannot be used as a whole: cut short, or damaged where its documents are listed."""


class DuplicateThumbnail(AlertdbError):
    """Two documents of one candid were put for one tarball."""

    def __init__(self, candid: int, tarball: str) -> None:
        super().__init__(
            f"Two thumbnails of candid {candid} were put for {tarball}; expected one per candid. "
            "Leave out the second packet of a candid before storing."
        )


class ThumbnailsBusy(AlertdbError):
    """Another process is writing the thumbnails of the same tarball."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"Another process is writing {path}. Wait until it has ended, then run the same command again."
        )


class ThumbnailsNotWritten(AlertdbError):
    """The file system refused thumbnails: full, read-only or failing."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"{path} could not be written: {why}. Nothing of this tarball's thumbnails is visible: make room, "
            "or make the folder writable, and run the same command again."
        )


class DamagedStamp(AlertdbError):
    """The bytes of a cutout are no image."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"A cutout is no gzipped FITS image: {found}. Compare it with the alert's packet by "
            "'alertdb verify TARBALL'; the packet itself may hold it so."
        )


class BadStretch(UsageError):
    """A stretch of an image's brightness that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no stretch {name!r}; expected one of {', '.join(known)}.")


class BadPercentiles(UsageError):
    """Limits of an image's brightness that are no limits."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(
            f"Brightness cannot go from percentile {low:g} to {high:g}; "
            "expected two numbers from 0 to 100, the smaller first, as 0.5 and 99.5."
        )


class BadNightError(UsageError):
    """A night that is no date of the survey."""

    def __init__(self, night: object) -> None:
        super().__init__(f"night {night} is no night of the survey; write YYYYMMDD, from 20170102 to 20420402")


class BadSimulationError(UsageError):
    """A simulation that cannot be meant."""

    def __init__(self, what: str, found: object, expected: str) -> None:
        super().__init__(f"{what} is {found}; it must be {expected}")


class ParameterMissing(AlertdbError):
    """A `:name` of a statement has no value, or a value has no place."""

    def __init__(self, name: str, given: Sequence[str]) -> None:
        super().__init__(
            f"The statement has a place ':{name}' without a value. Values were given for: {', '.join(given) or 'none'}."
        )

    @classmethod
    def unused(cls, names: Sequence[str]) -> ParameterMissing:
        """Build the error for values that the statement does not use."""
        error = cls.__new__(cls)
        places = ", ".join(f":{name}" for name in names)
        AlertdbError.__init__(error, f"Values were given that the statement has no place for: {places}.")
        return error


class ParameterUnusable(AlertdbError):
    """A value that SQL does not know."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(
            f"The value of ':{name}' is {value!r} ({type(value).__name__}); expected a finite number, a text, a time, "
            "None, or a list of these."
        )


class NotReading(AlertdbError):
    """A statement that would change something, sent through the reading account."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"Only reading statements are run here (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN), and this is none: {found}. "
            "The archive is filled by 'alertdb ingest' alone."
        )


class UnknownColumn(AlertdbError):
    """A statement names a column that its tables do not have."""

    def __init__(self, name: str, near: Sequence[str], *, is_text: bool = False) -> None:
        hint = f"Nearest: {', '.join(near)}." if near else "'DESCRIBE alerts' lists the columns of a table."
        if is_text:
            hint = f"If it is a text, it stands in single quotes: '{name}'."
        super().__init__(f"There is no column '{name}' where the statement asks for it. {hint}")


class UnknownTable(AlertdbError):
    """A statement names a table that the archive does not have."""

    def __init__(self, name: str, near: Sequence[str], known: Sequence[str]) -> None:
        hint = f"Nearest: {', '.join(near)}; 'SHOW TABLES' lists all." if near else f"Tables: {', '.join(known)}."
        super().__init__(f"There is no table '{name}'. {hint}")


class SyntaxMistake(AlertdbError):
    """A statement that is no SQL."""

    def __init__(self, where: str, hint: str) -> None:
        super().__init__(f"The SQL is not understood {where}. {hint}".rstrip())


class QueryRefused(AlertdbError):
    """A statement that the server cannot run, for the reason it gives."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The database cannot run this statement: {reason}.")


class QueryStopped(QueryRefused):
    """A statement that was ended before it was done; nothing of its result is returned."""

    def __init__(self, seconds: float, why: str, hint: str) -> None:
        message = f"The statement was stopped after {seconds:.1f} s: {why}. None of its rows are returned. {hint}."
        AlertdbError.__init__(self, message)


class StatementTooLong(QueryRefused):
    """A statement, with its values in it, that the server would not take."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(
            f"with its values it has {found / 2**20:.1f} MB, and the server takes less than {most / 2**20:.1f} MB "
            "(max_allowed_packet); give its lists in parts"
        )


class TooMuchMemory(QueryRefused):
    """A statement that needs more of the server's memory than one session gets."""

    def __init__(self, words: str) -> None:
        most = "".join(filter(str.isdigit, words.partition("=")[2].split()[0])) or "0"
        super().__init__(
            f"it needs more than the {int(most) >> 20} MB of memory that the server gives one session "
            "(max_session_mem_used); give its lists in parts, or ask by ranges of jd or candid"
        )


class ResultCut(UserWarning):
    """A result has as many rows as the server gives at most: there may be more."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"The result was cut: it has {rows:,} rows, as many as this server gives (sql_select_limit). "
            "Ask for less at a time, by ranges of jd or candid, or ask whoever runs the server."
        )


class ConeUnusable(UsageError):
    """A place or radius outside what is meant by it."""

    def __init__(self, what: str, value: object, smallest: float, largest: float, *, above: bool = False) -> None:
        bound = "over" if above else "from"
        super().__init__(f"The {what} is {value}; expected {bound} {smallest:g} up to {largest:g}.")


class LoaderDied(AlertdbError):
    """A process that was loading a tarball ended without a word."""

    def __init__(self) -> None:
        super().__init__(
            "A loading process was killed, perhaps for want of memory (--workers takes fewer at once). "
            "Nothing is half loaded: run the same command again."
        )


class AngleUnusable(UsageError):
    """A coordinate that cannot be read."""

    def __init__(self, found: str, *, hours: bool) -> None:
        example = "188.736 or 12:34:56.7 (hours)" if hours else "-20.184 or -20:11:02"
        super().__init__(
            f"'{found}' is no {'right ascension' if hours else 'declination'}; expected such as {example}."
        )


class PictureUnknown(UsageError):
    """A file whose suffix names no kind of picture."""

    def __init__(self, file: Path, known: Sequence[str]) -> None:
        super().__init__(f"{file} names no kind of picture; expected a file name that ends in {', '.join(known)}.")


class TooManyPanels(UsageError):
    """More light curves than one picture holds."""

    def __init__(self, found: int, most: int) -> None:
        super().__init__(
            f"{found} objects are too many for one picture, which holds {most}. Draw them in several calls."
        )


class NoRoom(AlertdbError):
    """A disk has too little room for a tarball."""

    def __init__(self, name: str, folder: object, need: int, free: int) -> None:
        super().__init__(
            f"{name} needs about {need / 1e6:,.0f} MB on the disk of {folder}, where {free / 1e6:,.0f} MB are free. "
            "Nothing of it was loaded: make room, then run the same command again."
        )


class SpoolNotWritten(AlertdbError):
    """The file system refused the files in which rows wait for the database."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(
            f"Cannot write {folder}: {why}. Nothing of this tarball was kept: make room there, or make the "
            "folder writable, then run the same command again."
        )


class BadNightRange(UsageError):
    """The last night of a range lies before its first."""

    def __init__(self, first: int, last: int | None) -> None:
        super().__init__(f"the nights from {first} to {last} are none; the second must not lie before the first")


class BadArchiveUrl(UsageError):
    """An archive's address that is none on the web."""

    def __init__(self, url: str) -> None:
        super().__init__(f"'{url}' is no address of an archive; expected one like https://ztf.uw.edu/alerts/public/")


class ArchiveUnreachable(AlertdbError):
    """An archive on the web does not answer, or breaks off again and again."""

    def __init__(self, url: str, reason: str, tries: int) -> None:
        super().__init__(
            f"{url} could not be fetched in {tries} attempts ({reason}). What has come is kept: run the same command "
            "again later, and it goes on from there."
        )


class ArchiveRefused(AlertdbError):
    """An archive on the web answers and does not give what was asked for."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"the archive refused {url}: {found}. See whether the address (--from) is right and open to all."
        )


class FetchedWrong(AlertdbError):
    """What came from an archive is not what it should be."""

    def __init__(self, url: str, found: str, expected: str) -> None:
        super().__init__(
            f"what came from {url} {found}; expected {expected}. It was thrown away: run the same command again, and "
            "if it happens again, tell the archive."
        )


class FetchedFileDiffers(AlertdbError):
    """Where a fetched file belongs lies another."""

    def __init__(self, path: object, found: str) -> None:
        super().__init__(
            f"{path} is there and is not the archive's file: {found}. It was left: move it away to fetch anew."
        )


class FetchUnderWay(AlertdbError):
    """Another process is fetching the same file."""

    def __init__(self, path: object) -> None:
        super().__init__(f"another process is writing {path}; wait for it to end, then run the same command again")


class FetchNotWritten(AlertdbError):
    """The file system refused a file that was being fetched."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(f"cannot write in {folder}: {why}. Mend that and run the same command again to go on.")
