"""What the commands `csv` and `verify` tell."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from alertdb.cli.output import console, message
from alertdb.database import Account, connect
from alertdb.errors import SourceUnknown
from ingest.csv_files import write_csv_files
from ingest.ledger import record_totals
from ingest.load import database_errors
from ingest.locks import MERGE_LOCK_SECONDS, holding, merge_lock
from ingest.report import progress
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources
from ingest.verification import check_archive, check_tarball

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from alertdb.config import Config
    from ingest.csv_files import Written
    from ingest.tarballs import Source
    from ingest.verification import Difference

__all__ = ["report_accept", "report_csv", "report_verify"]

SECONDS_BETWEEN_LINES = 10


def report_csv(path: Path, output: Path, *, allow_damaged: bool) -> None:
    """Write the CSV files of a tarball and tell of it.

    Raises
    ------
    SourceUnknown
        If the path holds several tarballs.
    """
    source = _only_source(path)
    began = time.monotonic()
    with progress(console(errors=True), [source]) as (advance, _):
        written = write_csv_files(
            source,
            Ztf(),
            output,
            allow_damaged=allow_damaged,
            progress=partial(advance, source.name),
        )
    _tell_written(source, output, written, time.monotonic() - began)


def report_verify(paths: Sequence[Path], config: Config, limit: int) -> int:
    """Verify tarballs, or the whole archive if none is named; name the differences and return their number.

    Parameters
    ----------
    limit
        Print at most so many differences.
    """
    began = time.monotonic()
    count = 0
    with database_errors("verification"):
        for difference in _differences(paths, config):
            count += 1
            if count <= limit:
                console().print(str(difference), soft_wrap=True, markup=False)
    what = f"{len(paths)} paths" if len(paths) > 1 else str(paths[0].name) if paths else "the archive"
    shown = f", {limit:,} of them shown" if count > limit else ""
    verdict = f"{count:,} differences{shown}" if count else "no difference"
    console().print(f"Verified {what}: {verdict}, {time.monotonic() - began:.1f} s", soft_wrap=True)
    return count


def report_accept(config: Config) -> None:
    """Record the checksums of the shared tables as they are now, and tell which changed."""
    survey, what = Ztf(), "the checksums"
    with (
        database_errors(what),
        connect(config, Account.LOADER, survey.name) as connection,
        holding(connection, merge_lock(survey.name), MERGE_LOCK_SECONDS, what),
    ):
        for table in (survey.limits, survey.history, survey.forced):
            if record_totals(connection, table.name):
                console().print(f"{table.name}: its rows as they are now were recorded as right", soft_wrap=True)
        connection.commit()


def _differences(paths: Sequence[Path], config: Config) -> Iterator[Difference]:
    if not paths:
        yield from check_archive(config, Ztf(), _tell_now_and_then())
        return
    sources = find_sources(paths)
    with progress(console(errors=True), sources) as (advance, finish):
        for source in sources:
            yield from check_tarball(source, config, Ztf(), partial(advance, source.name))
            finish(source.name)


def _tell_now_and_then() -> Callable[[str, int], None]:
    last = time.monotonic()

    def tell(table: str, rows: int) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            message(f"{table}: {rows:,} rows read")

    return tell


def _only_source(path: Path) -> Source:
    sources = find_sources([path])
    if len(sources) > 1:
        raise SourceUnknown(path, f"a folder with {len(sources)} tarballs, of which one is to be named")
    return sources[0]


def _tell_written(source: Source, output: Path, written: Written, seconds: float) -> None:
    rows = ", ".join(f"{name} {count:,}" for name, count in written.rows.items() if name != "rejects.csv")
    rejects = len(written.findings.rejects)
    refused = f", {rejects:,} rejects" if rejects else ""
    console().print(f"{source.name}: rows in {output}: {rows}{refused}, {seconds:.1f} s", soft_wrap=True)
    if rejects:
        message(f"  {source.name}: see {output / 'rejects.csv'} for what was rejected and why")
    if written.damage:
        message(f"  {source.name}: only what is whole was written: {written.damage}")
    if written.findings.unknown:
        message(f"  {source.name}: fields that no table has, left out: {', '.join(sorted(written.findings.unknown))}")
