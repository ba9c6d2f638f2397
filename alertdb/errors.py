"""The errors of alertdb: each says what was found, what was expected, and what to do next.

Every error that a user can cause is a subclass of `AlertdbError`. Its text is one line; the programs print that
line and exit with `exit_code`.
"""


class AlertdbError(Exception):
    """Base of all errors that have a one-line explanation for the user."""

    exit_code = 1


class UsageError(AlertdbError):
    """What was asked for cannot be meant: a wrong argument or option."""

    exit_code = 2


# ruff: noqa: N818 - the names below say what was met; that they are errors is said by where they stand


class UnknownThumbnailStore(UsageError):
    """A thumbnail store's URL that nothing can open."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"cannot open thumbnails at {url!r}: {found}; expected file:///folder/of/thumbnails, "
            "set ALERTDB_THUMBNAILS_URL to that"
        )


class NoThumbnailStore(AlertdbError):
    """The folder of a thumbnail store is not there."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"no thumbnails: {folder} is not a folder that can be read; "
            "check ALERTDB_THUMBNAILS_URL and the mount, or make the folder by ingesting a tarball"
        )


class ReadOnlyThumbnails(AlertdbError):
    """Somebody tried to change a thumbnail store that was opened to read."""

    def __init__(self, folder: object) -> None:
        super().__init__(
            f"thumbnails in {folder} were opened to read only; open_store(url, readonly=False) can write"
        )


class BadTarballName(UsageError):
    """A tarball's name that cannot be a file's name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"a tarball cannot be called {name!r} in the thumbnail store: "
            "letters, digits, '.', '_' and '-' are expected, a letter or digit first; rename the tarball"
        )


class UnknownRights(UsageError):
    """A rights class that does not exist."""

    def __init__(self, rights: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no rights class {rights!r}: expected {' or '.join(known)}")


class UnknownCandid(AlertdbError):
    """No thumbnail is stored for a candid."""

    def __init__(self, candid: int, where: str) -> None:
        super().__init__(
            f"no thumbnail of candid {candid} in {where}; "
            "check the number, or ingest the tarball that holds this alert"
        )


class DamagedThumbnail(AlertdbError):
    """A stored document is not what was written."""

    def __init__(self, what: str, found: str) -> None:
        super().__init__(
            f"{what} is damaged: {found}; restore it from a copy, or ingest its tarball with --replace"
        )


class DamagedThumbnailFile(DamagedThumbnail):
    """A sealed file cannot be used as a whole: cut short, or damaged where its documents are listed."""


class DuplicateThumbnail(AlertdbError):
    """Two documents of one candid were put for one tarball."""

    def __init__(self, candid: int, tarball: str) -> None:
        super().__init__(
            f"two thumbnails of candid {candid} were put for {tarball}: expected one document per candid; "
            "leave the second packet of a candid out before storing"
        )


class ThumbnailsBusy(AlertdbError):
    """Another process is writing the thumbnails of the same tarball."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"another process is writing {path}: expected one writer per tarball; "
            "wait for it to end, then run again"
        )


class ThumbnailsNotWritten(AlertdbError):
    """The file system refused thumbnails: full, read-only or failing."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"cannot write {path}: {why}; nothing of this tarball's thumbnails is visible, "
            "make room (or the folder writable) and run the same command again"
        )
