"""An archive that holds the real tarballs, loaded as users load them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from archives import empty_tables

from ingest.pipeline import load_tarball
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config


def load_tarballs(config: Config, thumbnails: Path, tarballs: list[Path]) -> Config:
    """Empty the tables, load the tarballs, and return the settings of that archive."""
    empty_tables(config)
    archive = replace(config, thumbnails_url=thumbnails.as_uri())
    for source in find_sources(tarballs):
        load_tarball(source, archive, Ztf(), decoder="fastavro")
    return archive
