"""A tarball as CSV files, one for each table, for people and programs that have no database.

Fields are separated by commas and quoted where needed, the first line names the columns, an empty field is NULL (an
empty text is quoted), and a number is the shortest text that reads back as the same number in its column's type.
Rows stand in the order of the key, each key once: what the tables hold after this tarball alone. What the columns
mean stands in ``columns.json`` beside them.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from alertdb.dictionary import declared_tables, parse_comment
from alertdb.errors import FilesNotWritten
from alertdb.version import installed_version
from ingest.contents import Findings, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.ledger import reject_rows, tarball_id
from ingest.spool import SharedRows
from ingest.surveys import SharedTable
from ingest.tarballs import open_packets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from alertdb.dictionary import Table
    from ingest.ledger import Reject
    from ingest.surveys import Survey
    from ingest.tarballs import Source

__all__ = ["SIDECAR", "Written", "write_csv_files"]

SIDECAR = "columns.json"
UNFINISHED = ".unfinished"
FORMAT = (
    "CSV: comma, fields quoted where needed, line feed, UTF-8, one header line; an empty field is NULL, an empty text "
    'is ""; numbers in the shortest form that reads back the same in the column\'s type (float: 32 bit, double: 64 bit)'
)


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    rows
        Rows of each file.
    findings
        What was learned of the tarball.
    damage
        What is wrong with a tarball that was read all the same.
    """

    rows: Mapping[str, int]
    findings: Findings
    damage: str | None


def write_csv_files(
    source: Source,
    survey: Survey,
    output: Path,
    *,
    allow_damaged: bool = False,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Written:
    """Write the CSV files of one tarball and their sidecar into a folder; no server is asked.

    Files get their names when the tarball was read to its end, so a damaged one leaves none; earlier ones of the same
    names are replaced.

    Parameters
    ----------
    allow_damaged
        Write what is whole of a damaged tarball.
    progress
        Told how many of the tarball's bytes were read so far, and how many alerts were in them.

    Raises
    ------
    FilesNotWritten
        If the folder or a file cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".csv-", dir=output) as folder:
            return _Files(source, survey, Path(folder), output).write(progress, allow_damaged=allow_damaged)
    except OSError as error:
        raise FilesNotWritten(output, error.strerror or str(error)) from error


class _Files:
    """The files of one tarball on their way into a folder."""

    def __init__(self, source: Source, survey: Survey, folder: Path, output: Path) -> None:
        self._source = source
        self._survey = survey
        self._folder = folder
        self._output = output
        self._found = Findings()
        self._rows: dict[str, int] = {}

    def write(self, progress: Callable[[int, int], None], *, allow_damaged: bool) -> Written:
        shared = shared_rows(self._source, self._survey, self._folder)
        alerts = self._alerts()
        with open_packets(self._source, allow_damaged=allow_damaged) as reader:
            decoder = open_decoder(self._survey.wanted)
            for _, rows in read_rows(reader, decoder, self._survey, self._found):
                alerts.add(rows.alerts.with_columns(packet_candid="candid"))
                for name, frame in rows.shared.items():
                    shared[name].add(frame)
                progress(reader.bytes_read, len(self._found.candids))
            sha256, damage = reader.sha256, reader.damage
        self._write_tables(alerts, shared)
        self._write_sidecar({"tarball": self._source.name, "sha256": sha256, "damage": damage})
        for path in sorted(self._folder.glob(f"*{UNFINISHED}")):
            path.replace(self._output / path.name.removesuffix(UNFINISHED))
        return Written(self._rows, self._found, damage)

    def _alerts(self) -> SharedRows:
        """Return a collection that sorts alerts by candid: rows whose packets are their own."""
        table = SharedTable("alerts", ("candid",), (*self._survey.alert_columns, "packet_candid"))
        return SharedRows(table, self._folder, self._source.bytes // (256 << 20) + 1)

    def _write_tables(self, alerts: SharedRows, shared: Mapping[str, SharedRows]) -> None:
        identity = pl.lit(tarball_id(self._source.name)).alias("tarball")
        frames = (frame.drop("packet_candid").with_columns(identity) for frame in alerts.merged())
        self._write("alerts", frames)
        for name, rows in shared.items():
            kept = self._without_arrived if name == self._survey.history.name else iter
            self._write(name, kept(rows.merged()))
        self._write("rejects", [_rejects_frame(self._source.name, self._found.rejects)])

    def _without_arrived(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """Leave out history detections whose alert is in this tarball."""
        arrived = pl.Series(self._found.candids.sorted())
        for frame in frames:
            yield frame.filter(~pl.col("candid").is_in(arrived.implode()))

    def _write(self, table: str, frames: Iterable[pl.DataFrame]) -> None:
        path = self._folder / f"{table}.csv{UNFINISHED}"
        names = [column.name for column in declared_tables()[table].columns]
        self._rows[path.name.removesuffix(UNFINISHED)] = 0
        with path.open("wb") as file:
            file.write((",".join(names) + "\n").encode())
            for frame in frames:
                self._rows[path.name.removesuffix(UNFINISHED)] += frame.height
                _write_rows(frame.select(names), file)
            file.flush()
            os.fsync(file.fileno())

    def _write_sidecar(self, facts: Mapping[str, Any]) -> None:
        files = {name: _describe(declared_tables()[Path(name).stem], rows) for name, rows in self._rows.items()}
        content = {**facts, "written_by": f"alertdb {installed_version()}", "format": FORMAT, "files": files}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (self._folder / (SIDECAR + UNFINISHED)).write_text(text + "\n", encoding="utf-8")


def _write_rows(frame: pl.DataFrame, file: Any) -> None:
    frame.write_csv(file, include_header=False, null_value="", quote_style="necessary", line_terminator="\n")


def _rejects_frame(tarball: str, rejects: Sequence[Reject]) -> pl.DataFrame:
    schema = {"tarball": pl.Int64, "position": pl.Int64, "member": pl.String, "packet": pl.Int32, "reason": pl.String}
    rows = [{**row, "packet": 0} for row in reject_rows(tarball_id(tarball), rejects)]
    return pl.DataFrame(rows, schema=schema).sort("position", "member")


def _describe(table: Table, rows: int) -> dict[str, Any]:
    """Return what the sidecar says of a file."""
    columns = []
    for column in table.columns:
        comment = parse_comment(column.comment)
        columns.append({
            "name": column.name,
            "type": column.type,
            "unit": comment.unit,
            "null": comment.null,
            "meaning": comment.meaning,
        })  # fmt: skip
    return {"table": table.name, "meaning": table.comment, "rows": rows, "columns": columns}
