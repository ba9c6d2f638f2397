"""The thumbnail store against the archive: every byte sound, a document for each alert, none without an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from alertdb.errors import NoThumbnailStore
from alertdb.thumbnails import open_store
from ingest.stored import listed, read_frame
from ingest.verification.differences import NOTHING, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from alertdb.config import Config
    from alertdb.thumbnails import ThumbnailStore
    from ingest.surveys import Survey

__all__ = ["check_thumbnails"]

CANDIDS_PER_QUERY = 5000
STORED = {"candid": pl.Int64, "rights": pl.String}


def check_thumbnails(
    connection: Connection, config: Config, survey: Survey, entries: Mapping[int, Mapping[str, Any]]
) -> Iterator[Difference]:
    """Yield what is damaged, missing, in the wrong rights class, or stored without an alert."""
    try:
        store = open_store(config.thumbnails, secrets=config.secrets)
    except NoThumbnailStore:
        if not any(entry["thumbnails"] for entry in entries.values()):
            return
        raise
    for line in store.verify():
        yield Difference("thumbnails", "", "", line, "sound documents")
    known = {entry["name"]: entry for entry in entries.values()}
    sealed: dict[str, list[str]] = {}
    for tarball in store.tarballs():
        sealed.setdefault(tarball.tarball, []).append(tarball.rights)
        if tarball.tarball not in known:
            found = f"{tarball.documents} documents ({tarball.rights})"
            yield Difference("thumbnails", f"of {tarball.tarball}", "", found, "none, since the ledger lacks it,")
    for name, entry in known.items():
        yield from _check_documents(connection, store, survey, entry, sealed.get(name, []))


def _check_documents(
    connection: Connection,
    store: ThumbnailStore,
    survey: Survey,
    entry: Mapping[str, Any],
    classes: list[str],
) -> Iterator[Difference]:
    """Compare the documents of one tarball with its alerts, those that another tarball owns included."""
    name = entry["name"]
    parts = [
        pl.DataFrame({"candid": store.candids(name, rights), "rights": rights}, schema=STORED) for rights in classes
    ]
    documents = pl.concat([pl.DataFrame(schema=STORED), *parts]).sort("candid")
    for start in range(0, documents.height, CANDIDS_PER_QUERY):
        yield from _check_alerts(connection, survey, documents[start : start + CANDIDS_PER_QUERY])
    if documents.height != entry["thumbnails"]:
        yield Difference("thumbnails", f"of {entry['name']}", "number", str(documents.height), str(entry["thumbnails"]))
        yield from _name_missing(connection, entry, documents["candid"])


def _check_alerts(connection: Connection, survey: Survey, documents: pl.DataFrame) -> Iterator[Difference]:
    query = f"SELECT candid, programid FROM alerts WHERE candid IN ({listed(documents['candid'])})"
    programs = dict(read_frame(connection, query).iter_rows())
    for candid, rights in documents.iter_rows():
        if candid not in programs:
            yield Difference("thumbnails", str(candid), "", "a document", f"{NOTHING}, since there is no such alert,")
        elif survey.rights(programs[candid]) != rights:
            yield Difference("thumbnails", str(candid), "rights", rights, survey.rights(programs[candid]))


def _name_missing(connection: Connection, entry: Mapping[str, Any], stored: pl.Series) -> Iterator[Difference]:
    """Yield the tarball's own alerts that have no document, if all of its alerts came with stamps."""
    if entry["thumbnails"] != entry["alerts"] + entry["duplicates"]:
        return
    query = (
        "SELECT a.candid FROM tarballs AS t STRAIGHT_JOIN alerts AS a ON a.candid BETWEEN t.candid_first AND "
        f"t.candid_last AND a.tarball = t.id WHERE t.id = {entry['id']} ORDER BY a.candid"
    )
    owned = read_frame(connection, query)["candid"]
    for candid in owned.filter(~owned.is_in(stored.implode())):
        yield Difference("thumbnails", str(candid), "", NOTHING, "a document")
