"""An archive of simulated nights, for as long as pictures of it are drawn."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["simulated_archive"]


@contextmanager
def simulated_archive(folder: Path, nights: Sequence[int], alerts_per_night: int) -> Iterator[Config]:
    """Simulate nights into ``nights`` in a folder, load them, and stop the server at the end."""
    config = Config(home=folder / "home")
    server = PrivateServer(config.home)
    server.ensure_started()
    try:
        ensure_schema(config)
        simulate_nights(nights, alerts_per_night, folder / "nights", seed=1, workers=2)
        for source in find_sources([folder / "nights"]):
            load_tarball(source, config, Ztf())
        yield config
    finally:
        server.ensure_stopped()
