"""From objects and candids to cutouts: what the archive and the command line both need."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, SupportsIndex

from alertdb.contact_sheet import SheetAlert
from alertdb.errors import UnknownCandid, UnknownObject
from alertdb.filters import filter_name
from alertdb.names import nearest_objects
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from alertdb.config import Config
    from alertdb.query import Reader
    from alertdb.stamps import Image

__all__ = ["candids_of", "chosen_candids", "read_documents", "sheet_alerts"]


def candids_of(reader: Reader, name: str) -> list[int]:
    """Return the candids of an object's alerts in the order of time.

    Raises
    ------
    UnknownObject
        If the archive has no alert of it.
    """
    statement = "SELECT candid FROM alerts WHERE objectId = :name ORDER BY jd, candid"
    candids: list[int] = reader.query(statement, {"name": name})["candid"].to_numpy().tolist()
    if not candids:
        raise UnknownObject(name, nearest_objects(reader, name))
    return candids


def chosen_candids(reader: Reader, which: str | SupportsIndex | Iterable[SupportsIndex]) -> list[int]:
    """Return the candids of an object's alerts in the order of time, or those given."""
    if isinstance(which, str):
        return candids_of(reader, which)
    return [operator.index(candid) for candid in ([which] if isinstance(which, SupportsIndex) else which)]


def read_documents(config: Config, candids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield (candid, thumbnail document) in the order asked, from the archive with these settings.

    Raises
    ------
    UnknownCandid
        After the last one found, if one of them has none.
    """
    missing = dict.fromkeys(candids)
    for candid, document in open_store(config.thumbnails, secrets=config.secrets).get_many(candids):
        missing.pop(candid, None)
        yield candid, document
    for candid in missing:
        raise UnknownCandid(candid, config.thumbnails)


def sheet_alerts(reader: Reader, images: Mapping[int, Mapping[str, Image]]) -> list[SheetAlert]:
    """Return what a contact sheet shows of alerts (images by candid), in the order of time."""
    statement = "SELECT candid, jd, fid, magpsf FROM alerts WHERE candid IN :candids ORDER BY jd, candid"
    rows = reader.query(statement, {"candids": list(images)}).to_pylist()
    return [SheetAlert(row["jd"], filter_name(row["fid"]), row["magpsf"], images[row["candid"]]) for row in rows]
