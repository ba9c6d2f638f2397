"""Real packets, from `$ALERTDB_TEST_DATA`, else from ``../shared/data`` beside the repository."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from alertdb.errors import AlertdbError
from benchmarks.support.program import ROOT

FOLDER = Path(os.environ.get("ALERTDB_TEST_DATA") or ROOT.parent / "shared" / "data") / "ztf"


class NoRealPackets(AlertdbError):
    """There is no real packet to measure with."""

    def __init__(self, pattern: str) -> None:
        super().__init__(
            f"No real packets in {FOLDER}/{pattern}; set ALERTDB_TEST_DATA to a folder whose ztf/ has such tarballs."
        )


def real_tarballs(pattern: str = "*.tar.gz") -> list[Path]:
    """Return the tarballs whose names match, sorted; perhaps none."""
    return sorted(FOLDER.glob(pattern))


def real_packets(pattern: str) -> list[bytes]:
    """Take all packets from the tarballs whose names match.

    Raises
    ------
    NoRealPackets
        There is none.
    """
    packets = []
    for path in real_tarballs(pattern):
        with tarfile.open(path) as tar:
            contents = (tar.extractfile(member) for member in tar)
            packets += [content.read() for content in contents if content is not None]
    if not packets:
        raise NoRealPackets(pattern)
    return packets
