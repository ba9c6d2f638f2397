"""Packets to decode, made and real, and the decoders that have to give the same for them."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import numpy as np
import pytest

from ingest.decoding import Packets, open_decoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.decoding import Decoder, Wanted


@pytest.fixture(params=["fastavro", "columnar"])
def make_decoder(request: pytest.FixtureRequest) -> Callable[[Wanted], Decoder]:
    """Make a decoder; the test runs once for each kind there is."""
    return lambda wanted: open_decoder(wanted, request.param)


@pytest.fixture(scope="session")
def pack() -> Callable[[list[bytes]], Packets]:
    """Put packets into one buffer, with something between them that belongs to none."""

    def pack(packets: list[bytes]) -> Packets:
        gap = b"\xff" * 7
        ends = np.cumsum([len(packet) + len(gap) for packet in packets], dtype=np.int64)
        starts = ends - np.array([len(packet) for packet in packets], dtype=np.int64)
        return Packets(memoryview(b"".join(gap + packet for packet in packets)), starts, ends)

    return pack


@pytest.fixture(scope="session")
def write() -> Callable[..., bytes]:
    """Write records as a packet with fastavro: ``write(schema, record, ..., codec="null")``."""

    def write(schema: Any, *records: Any, codec: str = "null") -> bytes:
        file = io.BytesIO()
        fastavro.writer(file, fastavro.parse_schema(schema), records, codec=codec)
        return file.getvalue()

    return write


@pytest.fixture(scope="session")
def real_packets(real_tarballs: list[Path]) -> dict[str, list[bytes]]:
    """All real packets of ZTF by tarball."""
    return {path.name: _members(path) for path in real_tarballs}


def _members(path: Path) -> list[bytes]:
    with gzip.open(path) as file, tarfile.open(fileobj=io.BytesIO(file.read())) as tar:
        return [tar.extractfile(member).read() for member in tar]  # type: ignore[union-attr]
