"""A tarball from its first byte to its last: hash, gunzip, walk, and say where it is damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import DamagedTarball, NotATarball, TarballTooLarge
from ingest.tarballs.batches import Buffers, Found
from ingest.tarballs.files import SourceFile
from ingest.tarballs.gunzip import MAGIC, BadGzip, CutGzip, gunzip, one_by_one
from ingest.tarballs.pour import Pour
from ingest.tarballs.walk import BadTar, UnclosedTar, Walk
from ingest.threads import prefetch

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from ingest.tarballs.batches import Batch
    from ingest.tarballs.sources import Source

__all__ = ["TarScan"]

MAX_MEMBERS = 5_000_000
MAX_RATIO = 200  # unpacked to packed bytes; alerts have 1.5
_RATIO_FROM = 16 << 20  # unpacked bytes; less may be mere padding and hurts nobody
_BLOCKS_AHEAD = 8


class TarScan:
    """One pass over a tarball; the attributes keep up with `batches`."""

    def __init__(self, source: Source, batch_bytes: int, batch_members: int, *, allow_damaged: bool = False) -> None:
        self._source = source
        self._batch_bytes = batch_bytes
        self._batch_members = batch_members
        self._allow_damaged = allow_damaged
        self._walk = Walk()
        self._buffers = Buffers()
        self._taken = 0  # bytes of the file up to the end of the block that is being unpacked
        self._block = 0  # bytes in that block
        self.unpacked_bytes = 0
        self.damage: str | None = None
        self.complete = False
        self._file = SourceFile(source.path)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were unpacked; reading and hashing are a little ahead."""
        return self._taken

    @property
    def members(self) -> int:
        """Members met."""
        return self._walk.members

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes read."""
        return self._file.sha256

    def close(self) -> None:
        """Close the file; `batches` must not be running."""
        self._file.close()

    def batches(self) -> Generator[Batch]:
        """Yield the packets. At the end the file was read to its last byte, and it is whole or `damage` is set."""
        self._check_kind()
        with prefetch(self._file.blocks(), _BLOCKS_AHEAD) as blocks:
            try:
                yield from self._walked(Pour(self._counted(self._unpacked(blocks))))
            except (BadGzip, BadTar) as error:
                self._file.check_unchanged()
                self._give_up(error)
            for _ in blocks:  # after a damage, the rest counts for the checksum
                pass
        self._taken = self._file.bytes_read
        self.complete = True

    def _check_kind(self) -> None:
        path = self._source.path
        first = self._file.first_bytes(16)
        if not first:
            raise DamagedTarball(path, "it is empty, neither gzip nor tar", self._walk.where(), 0, 0)
        if self._source.kind == "tar" and first.startswith(MAGIC):
            raise NotATarball(path, "gzip-compressed", "an uncompressed tar")
        if self._source.kind == "tar.gz" and not first.startswith(MAGIC):
            raise NotATarball(path, f"not gzip-compressed (it begins with {first!r})", "a gzip-compressed tar")

    def _unpacked(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        if self._source.kind == "tar":
            yield from self._noted(blocks)
            return
        try:
            yield from gunzip(self._noted(blocks))
        except CutGzip:
            raise
        except BadGzip:
            if self._allow_damaged:
                yield from self._salvaged()
            raise

    def _salvaged(self) -> Iterator[bytes]:
        """Unpack what the failing block held before the damage, in a second pass up to there; then fail again."""
        start, self._taken = self._taken - self._block, 0
        skip = self.unpacked_bytes
        again = SourceFile(self._source.path)
        try:
            for piece in gunzip(self._noted(one_by_one(again.blocks(), start))):
                yield piece[skip:]
                skip -= min(skip, len(piece))
        finally:
            again.close()

    def _noted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._block = len(block)
            self._taken += len(block)
            yield block

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.unpacked_bytes += len(piece)
            if self.unpacked_bytes > max(_RATIO_FROM, MAX_RATIO * self._taken):
                raise TarballTooLarge(
                    self._source.path,
                    f"unpacks to {self.unpacked_bytes / self._taken:.0f} times its size",
                    f"{MAX_RATIO} times",
                )
            yield piece

    def _walked(self, pour: Pour) -> Generator[Batch]:
        rest = memoryview(b"")
        while not pour.ended:
            view = self._buffers.take(max(self._batch_bytes, self._walk.needed))
            view[: len(rest)] = rest
            view = view[: pour.into(view, len(rest))]
            try:
                rest = yield from self._found(view)
            except BadTar as error:
                if pour.failure is None:
                    raise
                raise pour.failure from error  # what bad gzip data unpack to is no wonder
        if pour.failure is not None:
            raise pour.failure
        self._walk.finish(len(rest))

    def _found(self, view: memoryview) -> Generator[Batch, None, memoryview]:
        """Yield what lies whole in a buffer, and return the rest of the buffer."""
        at = 0
        failure = None
        while at < len(view):
            found = Found()
            try:
                at = self._walk.find(found, view, at, self._batch_members)
            except BadTar as error:
                failure = error
            if found:
                yield found.batch(view)
            if failure is not None:
                raise failure
            if self._walk.members > MAX_MEMBERS:
                raise TarballTooLarge(self._source.path, f"has {self._walk.members} members or more", f"{MAX_MEMBERS}")
            if self._walk.needed:
                break
        return view[at:]

    def _give_up(self, error: Exception) -> None:
        path, walk = self._source.path, self._walk
        if isinstance(error, BadTar) and not walk.position and self.unpacked_bytes:
            raise NotATarball(path, f"no tar ({error})", "a tar of .avro files") from error
        damaged = DamagedTarball(path, str(error), walk.where(), walk.position, self._taken)
        # Some of the survey's own tarballs were never closed. Where gzip's checksum and length vouch that the file
        # is as it was written, that is noted, not refused.
        vouched = isinstance(error, UnclosedTar) and self._source.kind == "tar.gz"
        if not (self._allow_damaged or vouched):
            raise damaged from error
        self.damage = damaged.damage
