"""Reading one source: batches of packets while it lasts, its checksum and its condition at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.tarballs.folders import FolderScan
from ingest.tarballs.scan import TarScan
from ingest.threads import Prefetch, prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from ingest.tarballs.batches import Batch
    from ingest.tarballs.sources import Source

__all__ = ["PacketReader", "open_packets"]

BATCH_BYTES = 48 << 20  # larger ones take memory, smaller ones more calls an alert
BATCH_MEMBERS = 2000


class PacketReader:
    """Batches of packets, read by a thread that makes the next one meanwhile. A context manager.

    Errors of the source come out of the loop: `DamagedTarball`, `NotATarball`, `TarballTooLarge`,
    `SourceChanged`, `SourceUnreadable`. What was yielded before a `DamagedTarball` is not to be trusted.
    """

    def __init__(self, scan: TarScan | FolderScan) -> None:
        self._scan = scan
        self._batches: Prefetch[Batch] | None = None

    def __enter__(self) -> PacketReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Batch]:
        if self._batches is None:
            self._batches = prefetch(self._scan.batches(), depth=0)
        return self._batches

    def close(self) -> None:
        """Stop reading, wherever it is, and wait until the threads have ended."""
        if self._batches is not None:
            self._batches.close()
        self._scan.close()

    @property
    def bytes_read(self) -> int:
        """Bytes read from disk so far, of `Source.bytes`."""
        return self._scan.bytes_read

    @property
    def unpacked_bytes(self) -> int:
        """Bytes that they unpacked to."""
        return self._scan.unpacked_bytes

    @property
    def members(self) -> int:
        """Members met so far: packets, rejects and what is passed over in silence, such as folders."""
        return self._scan.members

    @property
    def damage(self) -> str | None:
        """What is wrong with a tarball that was read all the same; None if it is whole.

        That is one opened with `allow_damaged`, or a .tar.gz with the right gzip checksum whose tar was never closed.
        """
        return self._scan.damage

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, in hex, once all batches were read.

        Of a folder: of the lines ``<file name> <sha256 of its content>``, sorted by name.
        """
        if not self._scan.complete:
            raise RuntimeError("the checksum is known when all batches were read")
        return self._scan.sha256


def open_packets(
    source: Source,
    *,
    allow_damaged: bool = False,
    batch_bytes: int = BATCH_BYTES,
    batch_members: int = BATCH_MEMBERS,
) -> PacketReader:
    """Open a source for reading.

    Parameters
    ----------
    allow_damaged
        Yield what is whole of a damaged tarball, and say in `PacketReader.damage` what is wrong, instead of
        raising `DamagedTarball`.
    batch_bytes
        Size of a batch's buffer. At most two exist at a time if the consumer keeps none but the last.
    batch_members
        Largest number of packets and rejects in a batch.
    """
    if source.kind in ("folder", "avro"):
        return PacketReader(FolderScan(source, batch_bytes, batch_members))
    return PacketReader(TarScan(source, batch_bytes, batch_members, allow_damaged=allow_damaged))
