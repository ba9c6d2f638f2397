"""One bucket over the wire. Importing this module imports the SDK, so it is imported when a bucket is opened.

Every call either does all it was asked or raises one of our errors. Temporary errors of the cluster are tried
again, a bounded number of times; all that is written here may be written twice.
"""

from __future__ import annotations

import os
from collections import deque
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from couchbase import exceptions as sdk
from couchbase.auth import PasswordAuthenticator
from couchbase.cluster import Cluster
from couchbase.durability import DurabilityLevel, ServerDurability
from couchbase.options import (
    ClusterOptions,
    ClusterTimeoutOptions,
    GetMultiOptions,
    InsertOptions,
    RemoveMultiOptions,
    RemoveOptions,
    ReplaceOptions,
    UpsertMultiOptions,
)
from couchbase.transcoder import RawBinaryTranscoder

from alertdb.thumbnails.couchbase.errors import (
    CouchbaseFailed,
    CouchbaseRefused,
    CouchbaseSilent,
    DurabilityRefused,
    NoCouchbaseBucket,
    NoCouchbaseCollection,
    ThumbnailTooLarge,
)
from alertdb.thumbnails.couchbase.pace import Exhausted, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from alertdb.errors import AlertdbError
    from alertdb.thumbnails.couchbase.account import Account
    from alertdb.thumbnails.couchbase.address import Address

__all__ = ["LARGEST_DOCUMENT", "Found", "Wire"]

LARGEST_DOCUMENT = 20 << 20  # bytes; the server's own limit
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 5.0  # for one document; the SDK itself repeats what failed for the moment that long
_BATCH_BYTES = 8 << 20
_TOO_BIG = 104  # the SDK's code for a value over the server's limit; it has no class for that

_LEVELS = {
    "majority": DurabilityLevel.MAJORITY,
    "majority_and_persist": DurabilityLevel.MAJORITY_AND_PERSIST_TO_ACTIVE,
    "persist_majority": DurabilityLevel.PERSIST_TO_MAJORITY,
}
_RAW = RawBinaryTranscoder()
_TEMPORARY = (
    sdk.TemporaryFailException,
    sdk.AmbiguousTimeoutException,
    sdk.UnAmbiguousTimeoutException,
    sdk.TimeoutException,
    sdk.RequestCanceledException,
    sdk.ServiceUnavailableException,
    sdk.DocumentLockedException,
    sdk.DurabilitySyncWriteAmbiguousException,
    sdk.DurabilitySyncWriteInProgressException,
    sdk.RateLimitedException,
)
_NOT_NOW = (sdk.CasMismatchException, sdk.DocumentExistsException, sdk.DocumentNotFoundException)


class Found(NamedTuple):
    """A document, and the number that changes whenever it is written."""

    content: bytes
    cas: int


class Wire:
    """The documents of one bucket (and collection) by their keys.

    Raises
    ------
    CouchbaseSilent, CouchbaseRefused, NoCouchbaseBucket
        Raised if the bucket cannot be opened.
    """

    def __init__(self, address: Address, rights: str, account: Account) -> None:
        self.bucket = address.bucket_of(rights)
        self.where = f"{address.connection}/{self.bucket}"
        self._address = address
        self._account = account
        self._pace = Pace()
        self._durable: dict[str, Any] = {}
        if address.durability != "none":
            self._durable = {"durability": ServerDurability(_LEVELS[address.durability])}
        self._documents = self._open()

    def read(self, keys: Iterable[str]) -> dict[str, Found]:
        """Return the documents that are there, by key."""
        found: dict[str, Found] = {}

        def get(batch: list[str]) -> Any:
            return self._documents.get_multi(batch, GetMultiOptions(transcoder=_RAW, return_exceptions=True))

        for key, result in self._all(keys, get, (sdk.DocumentNotFoundException,)):
            found[key] = Found(result.value, result.cas)
        return found

    def write(self, documents: Mapping[str, bytes]) -> None:
        """Write documents, over those that are there.

        Raises
        ------
        ThumbnailTooLarge
            Raised if one is over the server's limit; those before it may have been written.
        """
        for key, document in documents.items():
            if len(document) > LARGEST_DOCUMENT:
                raise ThumbnailTooLarge(key, len(document), LARGEST_DOCUMENT)
        options = UpsertMultiOptions(transcoder=_RAW, return_exceptions=True, **self._durable)

        def upsert(batch: list[str]) -> Any:
            return self._documents.upsert_multi({key: documents[key] for key in batch}, options)

        for _ in self._all(documents, upsert, (), lambda key: len(documents[key])):
            pass

    def delete(self, unchanged: Mapping[str, int]) -> None:
        """Delete those of these documents (key and CAS) that nobody has written since."""

        def remove(batch: list[str]) -> Any:
            each = {key: RemoveOptions(cas=unchanged[key], **self._durable) for key in batch}
            return self._documents.remove_multi(batch, RemoveMultiOptions(per_key_options=each, return_exceptions=True))

        for _ in self._all(unchanged, remove, _NOT_NOW):
            pass

    def swap(self, key: str, content: bytes, cas: int | None) -> bool:
        """Write one document if it is still the one with this CAS (None: if there is none); return whether it was."""
        while True:
            try:
                if cas is None:
                    self._documents.insert(key, content, InsertOptions(transcoder=_RAW, **self._durable))
                else:
                    self._documents.replace(key, content, ReplaceOptions(cas=cas, transcoder=_RAW, **self._durable))
            except _NOT_NOW:
                return False
            except sdk.CouchbaseException as error:
                self._wait_after({key: error}, got_through=False)
            else:
                self._pace.went_well()
                return True

    def _all(
        self,
        keys: Iterable[str],
        call: Callable[[list[str]], Any],
        accepted: tuple[type[Exception], ...],
        size: Callable[[str], int] = lambda _: 0,
    ) -> Iterable[tuple[str, Any]]:
        """Yield (key, result), batch after batch, until no key is left; `accepted` errors count as done."""
        waiting = deque(keys)
        while waiting:
            batch = self._next_batch(waiting, size)
            answer = call(batch)
            failed = {key: error for key, error in answer.exceptions.items() if not isinstance(error, accepted)}
            yield from answer.results.items()
            if failed:
                waiting.extendleft(failed)
                self._wait_after(failed, got_through=len(failed) < len(batch))
            else:
                self._pace.went_well()

    def _next_batch(self, waiting: deque[str], size: Callable[[str], int]) -> list[str]:
        batch = [waiting.popleft()]
        total = size(batch[0])
        while waiting and len(batch) < self._pace.keys and total + size(waiting[0]) <= _BATCH_BYTES:
            total += size(waiting[0])
            batch.append(waiting.popleft())
        return batch

    def _wait_after(self, failed: Mapping[str, Exception], *, got_through: bool) -> None:
        """Wait before the next attempt; raise what cannot be helped, or was tried often enough."""
        for key, error in failed.items():
            if not isinstance(error, _TEMPORARY):
                raise self._explained(error, key) from error
        try:
            self._pace.met_errors(got_through=got_through)
        except Exhausted:
            raise self._explained(error, key) from error

    def _open(self) -> Any:
        address = self._address
        try:
            bucket = _cluster(address.connection, address.certificate, self._account, os.getpid()).bucket(self.bucket)
        except sdk.CouchbaseException as error:
            raise self._explained(error, self.bucket, opening=True) from error
        return bucket.scope(address.scope).collection(address.collection)

    def _explained(self, error: Exception, key: str, *, opening: bool = False) -> AlertdbError:
        """Return our error for one of the SDK's."""
        reason = _reason(error)
        place = self._address.connection
        if isinstance(error, sdk.AuthenticationException):
            return CouchbaseRefused(place, self._account.user)
        if isinstance(error, sdk.BucketNotFoundException | sdk.BucketDoesNotExistException):
            return NoCouchbaseBucket(place, self.bucket, self._account.user)
        if isinstance(error, sdk.ScopeNotFoundException | sdk.CollectionNotFoundException | sdk.UnsupportedOperation):
            return NoCouchbaseCollection(self.where, f"{self._address.scope}/{self._address.collection}")
        if isinstance(error, sdk.DurabilityImpossibleException | sdk.DurabilityInvalidLevelException):
            return DurabilityRefused(place, self._address.durability, reason)
        if isinstance(error, _TEMPORARY):
            hint = ", or its certificate is not trusted" if opening and self._address.scheme == "couchbases" else ""
            return CouchbaseSilent(self.where, reason + hint)
        if getattr(error, "error_code", None) == _TOO_BIG:
            return ThumbnailTooLarge.because(key)
        return CouchbaseFailed(self.where, f"{key}: {reason}")


@lru_cache(maxsize=8)
def _cluster(connection: str, certificate: str | None, account: Account, _process: int) -> Any:
    """Connect, once per process (the SDK's threads do not survive a fork): that takes longer than many documents."""
    timeouts = ClusterTimeoutOptions(
        bootstrap_timeout=timedelta(seconds=CONNECT_SECONDS),
        connect_timeout=timedelta(seconds=CONNECT_SECONDS),
        kv_timeout=timedelta(seconds=ANSWER_SECONDS),
        kv_durable_timeout=timedelta(seconds=2 * ANSWER_SECONDS),
    )
    who = PasswordAuthenticator(account.user, account.password, cert_path=certificate)
    return Cluster(connection, ClusterOptions(who, timeout_options=timeouts))


def _reason(error: Exception) -> str:
    """Return what is wrong in few words."""
    if isinstance(error, sdk.UnAmbiguousTimeoutException | sdk.AmbiguousTimeoutException | sdk.TimeoutException):
        return "no answer in time"
    name = type(error).__name__.removesuffix("Exception")
    return f"error {getattr(error, 'error_code', '')}" if name == "Couchbase" else name
