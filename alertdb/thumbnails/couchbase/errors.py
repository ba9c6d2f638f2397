"""What can go wrong with thumbnails in Couchbase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


class BadCouchbaseUrl(UsageError):
    """A URL that names no place for thumbnails in a Couchbase cluster."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"Thumbnails cannot be opened at {url!r}: {found}. Expected is couchbase://host[,host…]/bucket"
            "[/scope/collection][?durability=…], or couchbases://…[?certificate=/path/of.pem]; mend "
            "ALERTDB_THUMBNAILS_URL (docs/couchbase.md)."
        )


class CouchbaseNotInstalled(AlertdbError):
    """The package that speaks to Couchbase is missing."""

    def __init__(self) -> None:
        super().__init__(
            "The Python package 'couchbase' is not installed, and thumbnails are in Couchbase here. "
            "Install it: pip install couchbase"
        )


class NoCouchbaseAccount(AlertdbError):
    """No account was named for a rights class."""

    def __init__(self, rights: str, variable: str, file: Path | None) -> None:
        place = "" if file is None else f" or in the file {file} (mode 0600)"
        super().__init__(
            f"No Couchbase account is known for {rights} thumbnails; expected 'user:password' in {variable}{place}."
        )


class BadCouchbaseAccount(AlertdbError):
    """What should name an account does not, or is open to others."""

    def __init__(self, where: object, found: str, remedy: str) -> None:
        super().__init__(f"The Couchbase account in {where} cannot be used: {found}. {remedy}")


class CouchbaseRefused(AlertdbError):
    """The cluster knows no such account or password."""

    def __init__(self, where: str, user: str) -> None:
        super().__init__(
            f"The Couchbase cluster at {where} refused the account '{user}'. Check its password: "
            "ALERTDB_COUCHBASE_ACCOUNT or the file couchbase in the archive's secrets/."
        )


class NoCouchbaseBucket(AlertdbError):
    """The bucket is not there, or closed to the account; the cluster does not tell which."""

    def __init__(self, where: str, bucket: str, user: str) -> None:
        super().__init__(
            f"The Couchbase cluster at {where} has no bucket '{bucket}' that the account '{user}' may open. "
            "Check the bucket's name in ALERTDB_THUMBNAILS_URL (buckets are called BUCKET-public and "
            "BUCKET-partnership), or make it: containers/couchbase/init.py."
        )


class NoCouchbaseCollection(AlertdbError):
    """The bucket has no such scope or collection."""

    def __init__(self, where: str, collection: str) -> None:
        super().__init__(
            f"The Couchbase bucket at {where} has no collection '{collection}', or is too old to have any. "
            "Make scope and collection, or leave them out of ALERTDB_THUMBNAILS_URL."
        )


class CouchbaseSilent(AlertdbError):
    """No node of the cluster answers, or none does in time."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"The Couchbase cluster at {where} does not answer ({reason}). "
            "See that it is up and can be reached from here, then run the same command again."
        )


class CouchbaseFailed(AlertdbError):
    """The cluster answered with an error that has no class of its own here."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(
            f"The Couchbase cluster at {where} refused: {reason}. Look into its log, then run the same command again."
        )


class DurabilityRefused(AlertdbError):
    """The cluster cannot promise what the URL asks of it."""

    def __init__(self, where: str, level: str, reason: str) -> None:
        super().__init__(
            f"The Couchbase cluster at {where} cannot write with durability '{level}' ({reason}). Bring all its nodes "
            "up, lower the bucket's number of replicas, or put ?durability=none into ALERTDB_THUMBNAILS_URL."
        )


class ThumbnailTooLarge(AlertdbError):
    """A document is larger than Couchbase takes."""

    def __init__(self, key: str, size: int, limit: int) -> None:
        super().__init__(
            f"The thumbnail of {key} has {size:,} bytes; Couchbase takes documents of at most {limit:,}. "
            "Look at its packet; the embedded store (file://…) has no such limit."
        )

    @classmethod
    def because(cls, key: str) -> ThumbnailTooLarge:
        """Build the error from the server's refusal, which does not say the limit."""
        error = cls.__new__(cls)
        AlertdbError.__init__(
            error, f"The cluster refused the thumbnail of {key} as too large; expected at most what its limit says."
        )
        return error


class CouchbaseBusy(AlertdbError):
    """Another process has begun the same tarball since."""

    def __init__(self, tarball: str, where: str) -> None:
        super().__init__(
            f"Another process has begun to write the thumbnails of {tarball} in {where}. "
            "Wait until it has ended, then run the same command again."
        )
