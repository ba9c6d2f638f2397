"""The archive against its own ledger: nothing but the archive is needed.

Of every tarball the number, candids and checksum of its alerts; of the tables that all nights share the checksum of
each row and of the whole; of the thumbnail store every byte, and that each alert has its document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.checksum import MODULUS, row_hashes, total
from ingest.ledger import list_entries
from ingest.stage import HASH
from ingest.stored import read_frame, read_pages, read_shared_pages, snapshot
from ingest.verification.differences import NOTHING, Difference, describe
from ingest.verification.thumbnails import check_thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from alertdb.config import Config
    from ingest.surveys import SharedTable, Survey

__all__ = ["check_archive"]

Entries = dict[int, dict[str, Any]]


def check_archive(
    config: Config, survey: Survey, progress: Callable[[str, int], None] = lambda *_: None
) -> Iterator[Difference]:
    """Yield everything in which the archive differs from what its ledger says.

    Parameters
    ----------
    progress
        Told the table that is being read and how many of its rows were read so far.
    """
    with snapshot(config, survey.name) as connection:
        entries = {int(entry["id"]): entry for entry in list_entries(connection)}
        yield from _check_alerts(connection, survey, entries, progress)
        yield from _check_rejects(connection, entries)
        for table in (survey.limits, survey.history, survey.forced):
            yield from _check_shared(connection, table, progress)
        yield from _check_history(connection, survey.history)
        yield from check_thumbnails(connection, config, survey, entries)


def _check_alerts(
    connection: Connection, survey: Survey, entries: Entries, progress: Callable[[str, int], None]
) -> Iterator[Difference]:
    counts, sums, checksums = _sum_alerts(connection, survey, progress)
    for tarball, entry in entries.items():
        found = (counts.pop(tarball, 0), sums.get(tarball, 0), checksums.get(tarball, 0))
        expected = (int(entry["alerts"]), int(entry["candid_sum"]), int(entry["alerts_checksum"]))
        names = ("number", "sum of candids", "checksum")
        for what, ours, theirs in zip(names, found, expected, strict=True):
            if ours != theirs:
                yield Difference("alerts", f"of {entry['name']}", what, str(ours), str(theirs))
    for tarball, count in counts.items():
        yield Difference("alerts", f"of tarball {tarball}", "", f"{count} rows", "none, since the ledger lacks it,")


def _sum_alerts(
    connection: Connection, survey: Survey, progress: Callable[[str, int], None]
) -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Return the number, the sum of candids and the checksum of the alerts of each tarball."""
    counts: dict[int, int] = {}
    sums: dict[int, int] = {}
    checksums: dict[int, int] = {}
    for page in read_pages(connection, "alerts", (*survey.alert_columns, "tarball"), "candid"):
        hashes = row_hashes(page.select(survey.alert_columns))
        for tarball in page["tarball"].unique():
            here = (page["tarball"] == tarball).to_numpy()
            counts[tarball] = counts.get(tarball, 0) + int(here.sum())
            sums[tarball] = sums.get(tarball, 0) + sum(page["candid"].filter(here).to_list())
            checksums[tarball] = (checksums.get(tarball, 0) + total(hashes[here])) % MODULUS
        progress("alerts", sum(counts.values()))
    return counts, sums, checksums


def _check_rejects(connection: Connection, entries: Entries) -> Iterator[Difference]:
    rows = connection.exec_driver_sql("SELECT tarball, COUNT(*) AS n FROM rejects GROUP BY tarball")
    counts = {row.tarball: row.n for row in rows}
    for tarball, entry in entries.items():
        if (found := counts.pop(tarball, 0)) != entry["rejects"]:
            yield Difference("rejects", f"of {entry['name']}", "", f"{found} rows", str(entry["rejects"]))
    for tarball, count in counts.items():
        yield Difference("rejects", f"of tarball {tarball}", "", f"{count} rows", "none, since the ledger lacks it,")


def _check_shared(
    connection: Connection, table: SharedTable, progress: Callable[[str, int], None]
) -> Iterator[Difference]:
    count, checksum = 0, 0
    for page in read_shared_pages(connection, table, (*table.columns, HASH)):
        hashes = row_hashes(page.select(table.columns))
        changed = page.filter(page[HASH].to_numpy() != hashes)
        for row in changed.select(table.key).iter_rows():
            yield Difference(table.name, describe(row), "", "a changed row", "the row as it was loaded")
        count += page.height
        checksum = (checksum + total(page[HASH].to_numpy())) % MODULUS
        progress(table.name, count)
    yield from _compare_totals(connection, table.name, {"row_count": count, "checksum": checksum})


def _compare_totals(connection: Connection, table: str, found: Mapping[str, int]) -> Iterator[Difference]:
    """Compare the number of rows and the sum of their hashes with what the loads added up."""
    query = f"SELECT row_count, checksum FROM table_checksums WHERE name = '{table}'"
    row = connection.exec_driver_sql(query).mappings().first() or {"row_count": 0, "checksum": 0}
    names = {"row_count": "number of rows", "checksum": "checksum of all rows"}
    for column, words in names.items():
        if found[column] != row[column]:
            yield Difference(table, words, "", str(found[column]), str(row[column]))


def _check_history(connection: Connection, table: SharedTable) -> Iterator[Difference]:
    query = (
        f"SELECT p.objectId, p.candid FROM {table.name} AS p FORCE INDEX (candid) "
        "STRAIGHT_JOIN alerts AS a ON a.candid = p.candid"
    )
    for name, candid in read_frame(connection, query).iter_rows():
        yield Difference(table.name, f"{name}/{candid}", "", "a row", f"{NOTHING}, since its alert is in,")
