"""Simulated nights to look at, read by plain tarfile and fastavro."""

from __future__ import annotations

import io
import os
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Packet = dict[str, Any]


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as tarball:
        for member in tarball:
            stream = tarball.extractfile(member)
            assert stream is not None
            yield member.name, stream.read()


@lru_cache(maxsize=16)
def _packets(path: Path) -> list[Packet]:
    read = []
    for name, data in _members(path):
        (packet,) = fastavro.reader(io.BytesIO(data))
        assert isinstance(packet, dict)
        assert name == f"{packet['candid']}.avro"
        read.append(packet)
    return read


@pytest.fixture(scope="session")
def members() -> Callable[[Path], Iterator[tuple[str, bytes]]]:
    """Name and bytes of each member of a tarball."""
    return _members


@pytest.fixture(scope="session")
def packets() -> Callable[[Path], list[Packet]]:
    """All packets of a tarball, each checked to be named after its candid."""
    return _packets


@pytest.fixture(scope="session")
def real_night() -> Callable[[int], Path]:
    """The real tarball of a night, or a skip."""
    data = Path(os.environ.get("ALERTDB_TEST_DATA", Path(__file__).parents[3].parent / "shared" / "data"))

    def find(night: int) -> Path:
        path = data / "ztf" / f"ztf_public_{night}.tar.gz"
        if not path.exists():
            pytest.skip(f"no real packets: {path} is not there")
        return path

    return find


@pytest.fixture(scope="session")
def full_night(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The public and the partnership tarball of one night of schema 4.02, 500 alerts each."""
    folder = tmp_path_factory.mktemp("full")
    return simulate_nights([20210901], 500, folder, schema="4.02", programs=("public", "partnership"))


@pytest.fixture(scope="session")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Public tarballs of seven nights over six weeks, schema 3.3, 150 alerts each."""
    nights = [20210801, 20210808, 20210815, 20210822, 20210829, 20210905, 20210912]
    return simulate_nights(nights, 150, tmp_path_factory.mktemp("series"))
