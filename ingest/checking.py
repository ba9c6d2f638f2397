"""What the commands around a loaded tarball tell: its rows as CSV files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from alertdb.cli.output import console, message
from alertdb.errors import SourceUnknown
from ingest.csv_files import write_csv_files
from ingest.report import progress
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.csv_files import Written
    from ingest.tarballs import Source

__all__ = ["report_csv"]


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
            progress=lambda read, alerts: advance(source.name, read, alerts),
        )
    _tell_written(source, output, written, time.monotonic() - began)


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
