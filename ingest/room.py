"""Whether the disks have room for a tarball: a database server whose disk fills up may end, for its readers too."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from alertdb.errors import NoRoom
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from alertdb.config import Config
    from ingest.tarballs import Source

__all__ = ["ROWS_SHARE", "THUMBNAILS_SHARE", "Room", "check_room", "find_rooms"]

# Parts of a tarball's size that it takes elsewhere; 'alertdb status' shows what they came to.
ROWS_SHARE = 0.2
THUMBNAILS_SHARE = 0.9
SPOOL_SHARE = 0.2  # rows of histories that wait until the tarball is read
SPARE = 32 << 20  # bytes that must be left: the server's logs and temporary files grow too


@dataclass(frozen=True)
class Room:
    """What a disk has free and what is needed there, in bytes."""

    place: Path
    needed: int
    free: int


def check_room(source: Source, config: Config) -> None:
    """Hold what a tarball needs on each disk against what is free; a server elsewhere is not looked at.

    Raises
    ------
    NoRoom
        If a disk has less than that; nothing was written.
    """
    for room in find_rooms(source.bytes, config):
        if room.free < room.needed:
            raise NoRoom(source.name, room.place, room.needed, room.free)


def find_rooms(tarball_bytes: int, config: Config) -> list[Room]:
    """Return each disk that is written to, what tarballs of so many bytes need there, and what is free."""
    needs: dict[int, float] = {}
    places: dict[int, Path] = {}
    for folder, share in _places(config):
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        device = there.stat().st_dev
        places.setdefault(device, there)
        needs[device] = needs.get(device, SPARE) + share * tarball_bytes
    return [Room(places[d], int(need), shutil.disk_usage(places[d]).free) for d, need in needs.items()]


def _places(config: Config) -> list[tuple[Path, float]]:
    """Return the folders that are written to, and their share of a tarball's size."""
    places = [(config.spool, SPOOL_SHARE)]
    if config.database_url is None:
        places.append((PrivateServer(config.home).data, ROWS_SHARE))
    url = urlsplit(config.thumbnails)
    if url.scheme == "file":
        places.append((Path(unquote(url.path)), THUMBNAILS_SHARE))
    return places
