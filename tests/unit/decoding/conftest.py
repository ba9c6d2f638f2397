"""The decoders, which have to give the same, and the real packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from avro_packets import members

from ingest.decoding import open_decoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.decoding import Decoder, Wanted


@pytest.fixture(params=["fastavro", "columnar"])
def make_decoder(request: pytest.FixtureRequest) -> Callable[[Wanted], Decoder]:
    """Make a decoder; the test runs once for each kind there is."""
    return lambda wanted: open_decoder(wanted, request.param)


@pytest.fixture(scope="session")
def real_packets(real_tarballs: list[Path]) -> dict[str, list[bytes]]:
    """All real packets of ZTF by tarball."""
    return {path.name: members(path) for path in real_tarballs}
