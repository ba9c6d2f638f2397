"""One tarball from its bytes to its row in the ledger: read, decode, spool, load, store thumbnails, commit.

Reading, decoding, loading and storing run in threads beside each other; none keeps more than a few batches.
"""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from alertdb.database import Account, connect
from alertdb.errors import BadTarballName, TarballChanged
from alertdb.thumbnails import RIGHTS, open_store
from alertdb.version import installed_version
from ingest.contents import Findings, content_sha256, read_documents, read_rows
from ingest.decoding import open_decoder
from ingest.ledger import find_entry, find_entry_by_content, tarball_id
from ingest.load import database_errors
from ingest.owned_alerts import LoadedElsewhere
from ingest.reading_ahead import ReadAhead
from ingest.removal import Removal
from ingest.room import check_room
from ingest.tarballs import open_packets
from ingest.transaction import TarballTransaction
from ingest.turns import await_turn, clear_spool, spool_folder, turn
from ingest.wording import fitted
from ingest.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config
    from alertdb.thumbnails import Buffer, ThumbnailStore, ThumbnailWriter
    from ingest.decoding import Decoded, Decoder
    from ingest.ledger import Entry
    from ingest.removal import Removed
    from ingest.surveys import Rows, Survey
    from ingest.tarballs import PacketReader, Source

__all__ = ["Outcome", "load_tarball"]

TEXT_BYTES = 2**16 - 1  # that fit into a TEXT
NIGHT = re.compile(r"(?<!\d)(20\d{6})(?!\d)")


@dataclass(frozen=True)
class Outcome:
    """What became of a tarball.

    Attributes
    ----------
    skipped
        Why nothing was done; empty if it was loaded.
    alerts
        Alerts of the tarball that are in the archive, also those that another tarball owns.
    duplicates, taken_over
        How many of them another tarball owns, and how many it owned until now.
    unknown_fields
        Fields of the packets that no table has.
    doubts
        Members that were loaded although something behind their record is damaged, and what.
    damage
        What is wrong with a tarball that was loaded all the same.
    removed
        What became of the tarball that it replaced.
    seconds
        How long it took.
    object_keys
        A 64-bit hash of each objectId, to count the objects of several tarballs.
    """

    name: str
    skipped: str = ""
    alerts: int = 0
    objects: int = 0
    limits: int = 0
    rejects: int = 0
    duplicates: int = 0
    taken_over: int = 0
    unknown_fields: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    damage: str | None = None
    removed: Removed | None = None
    seconds: float = 0.0
    object_keys: frozenset[int] = frozenset()


def load_tarball(
    source: Source,
    config: Config,
    survey: Survey,
    *,
    allow_damaged: bool = False,
    replace: bool = False,
    neighbours: Sequence[Path] = (),
    progress: Callable[[int, int], None] = lambda *_: None,
    decoder: str = "columnar",
) -> Outcome:
    """Load one tarball, unless it is in; afterwards it is in the archive completely, or not at all.

    Parameters
    ----------
    allow_damaged
        Load what is whole of a damaged tarball, and say so in the ledger.
    replace
        Put it in the place of one of this name that is in, whatever that one's content.
    neighbours
        Where the tarballs of the nights around lie: what they told as well as the replaced one comes back from them.
    progress
        Told how many of the tarball's bytes were read so far, and how many alerts were in them.
    decoder
        Name of the decoder; see `ingest.decoding.open_decoder`.

    Raises
    ------
    AlertdbError
        For whatever stands against it; nothing of the tarball is in the archive then.
    """
    began = time.monotonic()
    if not source.name.isprintable():
        raise BadTarballName(source.name)
    with database_errors(source.name):
        while True:
            try:
                with turn(config, survey, source.name) as connection:
                    entry = find_entry(connection, source.name)
                    if entry is not None and not replace:
                        clear_spool(config.spool, source.name)  # of a load that was killed right after its commit
                        return Outcome(source.name, skipped=_already_loaded(entry, source))
                    check_room(source, config)
                    load = _Load(source, config, survey, connection, open_decoder(survey.wanted, decoder))
                    return load.run(began, progress, (entry, neighbours), allow_damaged=allow_damaged)
            except LoadedElsewhere as other:
                await_turn(config, survey, other.tarball, source.name)


class _Load:
    """The stages of one load and what they share."""

    def __init__(
        self, source: Source, config: Config, survey: Survey, connection: Connection, decoder: Decoder
    ) -> None:
        self._source = source
        self._config = config
        self._survey = survey
        self._connection = connection
        self._decoder = decoder
        self._found = Findings()

    def run(
        self,
        began: float,
        progress: Callable[[int, int], None],
        replaced: tuple[Entry | None, Sequence[Path]],
        *,
        allow_damaged: bool,
    ) -> Outcome:
        """Read the tarball to its end, then take out the one it replaces, if any, merge and commit."""
        with ExitStack() as stack:
            folder = stack.enter_context(spool_folder(self._config.spool, self._source.name))
            watch = stack.enter_context(connect(self._config, Account.LOADER, self._survey.name))
            watch.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
            identity = (self._source.name, tarball_id(self._source.name))
            old, places = replaced
            removal = None if old is None else Removal(self._connection, self._survey, old, folder, places)
            ahead = stack.enter_context(ReadAhead(self._config, self._survey.name, self._connection))
            transaction = TarballTransaction(self._connection, watch, self._survey, identity, folder, ahead, removal)
            thumbnails = stack.enter_context(_Thumbnails(self._config, self._source.name))
            reader = stack.enter_context(open_packets(self._source, allow_damaged=allow_damaged))
            self._pass_batches(reader, transaction, thumbnails, progress)
            same = find_entry_by_content(self._connection, reader.sha256)
            if same is not None and same.name != self._source.name:
                self._connection.rollback()
                return Outcome(self._source.name, skipped=f"the same content is in as {same.name}")
            facts = self._facts(reader, began)
            entry = self._close(transaction, thumbnails, facts, replacing=removal is not None)
            thumbnails.remove_older()
        return self._outcome(entry, transaction)

    def _pass_batches(
        self,
        reader: PacketReader,
        transaction: TarballTransaction,
        thumbnails: _Thumbnails,
        progress: Callable[[int, int], None],
    ) -> None:
        with Worker("load") as loader, Worker("thumbnails", depth=1) as storer:
            for decoded, rows in read_rows(reader, self._decoder, self._survey, self._found):
                loader.submit(transaction.add, rows)
                storer.submit(self._store, decoded, rows, thumbnails)
                progress(reader.bytes_read, len(self._found.candids))
            loader.finish()
            storer.finish()

    def _close(
        self, transaction: TarballTransaction, thumbnails: _Thumbnails, facts: dict[str, Any], *, replacing: bool
    ) -> dict[str, Any]:
        """Merge and commit; the thumbnails are sealed beside the merging, before the commit."""
        with Worker("seal") as sealer:

            def seal() -> None:
                if replacing:  # not before: they take the place of those whose alerts are still in
                    sealer.submit(thumbnails.seal)
                sealer.finish()

            if not replacing:
                sealer.submit(thumbnails.seal)
            return transaction.close(self._found.rejects, facts, before_commit=seal)

    def _store(self, decoded: Decoded, rows: Rows, thumbnails: _Thumbnails) -> None:
        """Put the cutouts of the accepted alerts into the thumbnail store, by rights class."""
        documents: dict[str, list[tuple[int, list[Buffer]]]] = {}
        for candid, rights, pieces in read_documents(decoded, rows, self._survey):
            documents.setdefault(rights, []).append((candid, pieces))
            self._found.thumbnails += 1
        for rights, pairs in documents.items():
            thumbnails.writer(rights).put_many(pairs)

    def _facts(self, reader: PacketReader, began: float) -> dict[str, Any]:
        """Return the columns of the ledger that the transaction does not know."""
        modified = datetime.fromtimestamp(self._source.path.stat().st_mtime, tz=UTC).replace(tzinfo=None)
        return {
            "sha256": reader.sha256,
            "bytes": self._source.bytes,
            "modified": modified,
            "night": night_of(self._source.name),
            "state": "partial" if reader.damage else "complete",
            "damage": reader.damage and reader.damage[:1024],
            "members": reader.members,
            "schemas": ",".join(sorted(self._found.schemas))[:255],
            "unknown_fields": fitted(", ".join(sorted(self._found.unknown)), TEXT_BYTES) or None,
            "thumbnails": self._found.thumbnails,
            "version": installed_version(),
            "loaded_at": datetime.now(tz=UTC).replace(tzinfo=None),
            "seconds": time.monotonic() - began,
        }

    def _outcome(self, entry: dict[str, Any], transaction: TarballTransaction) -> Outcome:
        return Outcome(
            name=self._source.name,
            alerts=entry["alerts"] + entry["duplicates"],
            objects=entry["objects"],
            limits=entry["limits"],
            rejects=entry["rejects"],
            duplicates=entry["duplicates"],
            taken_over=transaction.taken_over,
            unknown_fields=tuple(sorted(self._found.unknown)),
            doubts=tuple(self._found.doubts),
            damage=entry["damage"],
            removed=transaction.removed,
            seconds=entry["seconds"],
            object_keys=transaction.object_keys(),
        )


class _Thumbnails:
    """The writers of one tarball, one per rights class that occurs; all discarded unless sealed."""

    def __init__(self, config: Config, tarball: str) -> None:
        self._store: ThumbnailStore = open_store(config.thumbnails, readonly=False, secrets=config.secrets)
        self._tarball = tarball
        self._writers: dict[str, ThumbnailWriter] = {}
        self._sealed: set[str] = set()

    def writer(self, rights: str) -> ThumbnailWriter:
        if rights not in self._writers:
            self._writers[rights] = self._store.writer(self._tarball, rights)
        return self._writers[rights]

    def seal(self) -> None:
        while self._writers:
            rights, writer = self._writers.popitem()
            writer.seal()
            self._sealed.add(rights)

    def remove_older(self) -> None:
        """Take away what an earlier tarball of this name left in a rights class that this one does not have."""
        for rights in set(RIGHTS) - self._sealed:
            self._store.remove(self._tarball, rights)

    def __enter__(self) -> _Thumbnails:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._writers.values():
            writer.discard()


def night_of(name: str) -> int | None:
    """Return the night (YYYYMMDD) that a file name holds, or None."""
    for digits in NIGHT.findall(name):
        try:
            datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            continue
        return int(digits)
    return None


def _already_loaded(entry: Entry, source: Source) -> str:
    """Say that a tarball of this name is in; fail if that one had another content."""
    modified = datetime.fromtimestamp(source.path.stat().st_mtime, tz=UTC).replace(tzinfo=None)
    # As rsync does: same name, size and time are the same file; only if they differ are all bytes read.
    if (entry.bytes, entry.modified) != (source.bytes, modified):
        found = content_sha256(source)
        if found != entry.sha256:
            raise TarballChanged(source.name, entry.loaded_at, entry.sha256, found)
    return f"already loaded on {entry.loaded_at:%Y-%m-%d %H:%M} UTC"
