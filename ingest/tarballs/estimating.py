"""How much a source holds, guessed from its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alertdb.errors import DamagedTarball
from ingest.tarballs.files import readable
from ingest.tarballs.names import MAX_PACKET
from ingest.tarballs.scan import TarScan
from ingest.tarballs.sources import avro_files

if TYPE_CHECKING:
    from ingest.tarballs.sources import Source

__all__ = ["Estimate", "estimate"]

_LOOK_AT = 4 << 20  # bytes of the file
_BATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Estimate:
    """What a source probably holds.

    Attributes
    ----------
    members
        Members of the tarball, or files.
    alerts
        Those of them that look like packets.
    unpacked_bytes
        What the whole source unpacks to.
    """

    members: int
    alerts: int
    unpacked_bytes: int


def estimate(source: Source) -> Estimate:
    """Estimate from the first 4 MB what a source holds; exact if that is all of it. Damage is not looked for.

    Raises
    ------
    NotATarball, SourceUnreadable
        If its beginning cannot be read or is something else.
    """
    if source.kind == "folder":
        with readable(source.path):
            count = len(avro_files(source.path))
        return Estimate(count, count, source.bytes)
    if source.kind == "avro":
        return Estimate(1, int(source.bytes <= MAX_PACKET), source.bytes)
    return _from_beginning(source)


def _from_beginning(source: Source) -> Estimate:
    scan = TarScan(source, _BATCH_BYTES, batch_members=1 << 30)
    alerts = 0
    batches = scan.batches()
    try:
        for batch in batches:
            alerts += len(batch)
            if scan.bytes_read >= _LOOK_AT:
                break
    except DamagedTarball:
        pass  # what lies before the damage is as good a sample
    finally:
        batches.close()
        scan.close()
    rest = source.bytes / scan.bytes_read if scan.bytes_read else 0.0
    return Estimate(round(scan.members * rest), round(alerts * rest), round(scan.unpacked_bytes * rest))
