"""The data dictionary: Markdown from the COMMENTs of tables and columns, as `docs/tables.md` holds it.

A column's COMMENT has three parts: its meaning, its null rule (``Never NULL.`` or ``NULL: when.``), and at the end its
unit in square brackets, where it has one. To write the file anew, from an archive with the current schema::

    python -m alertdb.dictionary > docs/tables.md
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import text

from alertdb.config import load_config
from alertdb.database import Account, connect
from alertdb.schema import read_sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

__all__ = [
    "Column",
    "Comment",
    "Table",
    "declared_tables",
    "parse_comment",
    "parse_view_comments",
    "read_tables",
    "render",
]

COMMENT = re.compile(r"(?P<meaning>.+?) (?P<null>Never NULL|NULL: .+?)\.(?: \[(?P<unit>[^\]]+)\])?")
VIEW_LINE = re.compile(r"--   (?P<name>\w+) +(?P<comment>.+)")
CREATE = re.compile(r"CREATE TABLE (?P<name>\w+) \(\n(?P<body>.+?)\n\)[^;]*?COMMENT='(?P<comment>[^']*)';", re.DOTALL)
DEFINITION = re.compile(
    r" +`?(?P<name>\w+)`? +(?P<type>[A-Z]+(?:\(.+?\))?(?: UNSIGNED)?)(?: .*?)? COMMENT '(?P<comment>[^']*)',?"
)
DISPLAY_WIDTH = re.compile(r"\b((?:big)?int)\(\d+\)")
PIPE = r"\|"  # a pipe within a cell
ORDER = (
    "alerts",
    "alerts_limmag",
    "alerts_prv",
    "alerts_forced",
    "lightcurve",
    "summary",
    "tarballs",
    "rejects",
    "table_checksums",
)

PREAMBLE = """\
# The tables

Generated from the comments in the database: change them in `sql/`, then run `python -m alertdb.dictionary`.

The database `{database}` holds everything. `{database}_public` has the same names and columns, restricted to what is
public. NULL is the only way in which a value can be missing: the sentinels of the packets never get into a table.
All times are UTC.
"""


@dataclass(frozen=True)
class Comment:
    """What a column's COMMENT says: meaning, when it is NULL (``never``, or a condition), unit or None."""

    meaning: str
    null: str
    unit: str | None


@dataclass(frozen=True)
class Column:
    """A column: its name, SQL type and COMMENT."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """A table or view: name, COMMENT, columns in order, and the columns of each key."""

    name: str
    comment: str
    columns: Sequence[Column]
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)


def parse_comment(comment: str) -> Comment:
    """Split a column's COMMENT into its parts.

    Raises
    ------
    ValueError
        If it has no null rule, or something stands behind the unit.
    """
    match = COMMENT.fullmatch(comment)
    if match is None:
        raise ValueError(f"No meaning, null rule and unit in the comment '{comment}'.")
    null = match["null"].removeprefix("NULL: ")
    return Comment(match["meaning"], "never" if null == "Never NULL" else null, match["unit"])


def parse_view_comments(script: str) -> dict[str, str]:
    """Return the column comments that a view's file holds in its header: MariaDB has no place for them."""
    matches = (VIEW_LINE.fullmatch(line) for line in script.splitlines())
    return {match["name"]: match["comment"] for match in matches if match is not None}


@cache
def declared_tables() -> dict[str, Table]:
    """Read the tables by name from the files under `sql/schema`, without a server: what `SELECT *` gives, no keys."""
    folder = files("alertdb").joinpath("sql", "schema")
    scripts = [path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".sql")]
    found = (match for script in scripts for match in CREATE.finditer(script))
    return {match["name"]: Table(match["name"], match["comment"], _declared_columns(match["body"])) for match in found}


def _declared_columns(body: str) -> list[Column]:
    matches = (DEFINITION.fullmatch(line) for line in body.splitlines())
    shown = (match for match in matches if match is not None and " INVISIBLE " not in match[0])
    return [Column(match["name"], match["type"].lower(), match["comment"]) for match in shown]


def render(tables: Sequence[Table], database: str) -> str:
    """Return the dictionary of a database as Markdown."""
    parts = [PREAMBLE.format(database=database), *("\n".join(_section(table)) + "\n" for table in tables)]
    return "\n".join(parts)


def read_tables(connection: Connection, database: str) -> list[Table]:
    """Read what the server knows of a database's tables and views, in the order of the dictionary."""
    columns = _read_columns(connection, database)
    keys = _read_keys(connection, database)
    query = text("SELECT table_name, table_type, table_comment FROM information_schema.tables WHERE table_schema = :d")
    tables = []
    for name, kind, comment in connection.execute(query, {"d": database}):
        if kind == "VIEW":
            tables.append(_view(name, columns[name], read_sql(f"views/{database}/{name}.sql")))
        else:
            tables.append(Table(name, comment, columns[name], keys[name]))
    return sorted(
        tables, key=lambda table: (ORDER.index(table.name) if table.name in ORDER else len(ORDER), table.name)
    )


def _view(name: str, columns: Sequence[Column], script: str) -> Table:
    comments = parse_view_comments(script)
    commented = [Column(column.name, column.type, comments[column.name]) for column in columns]
    return Table(name, "A view. " + _first_sentences(script), commented)


def _first_sentences(script: str) -> str:
    """Return the first paragraph of a file's header comment."""
    header: list[str] = []
    for line in script.splitlines():
        if not line.startswith("-- "):
            break
        header.append(line.removeprefix("-- "))
    return " ".join(header).removesuffix(".")


def _section(table: Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    yield f"{table.comment}.\n"
    if table.keys:
        keys = (f"{'primary' if name == 'PRIMARY' else name} ({', '.join(on)})" for name, on in table.keys.items())
        yield f"Keys: {'; '.join(keys)}.\n"
    yield "| column | type | unit | NULL | meaning |"
    yield "|---|---|---|---|---|"
    for column in table.columns:
        comment = parse_comment(column.comment)
        cells = (f"`{column.name}`", column.type, comment.unit or "", comment.null, comment.meaning)
        yield f"| {' | '.join(cell.replace('|', PIPE) for cell in cells)} |"


def _read_columns(connection: Connection, database: str) -> dict[str, list[Column]]:
    query = text(
        "SELECT table_name, column_name, column_type, column_comment FROM information_schema.columns "
        "WHERE table_schema = :d ORDER BY table_name, ordinal_position"
    )
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, name, kind, comment in connection.execute(query, {"d": database}):
        columns[table].append(Column(name, DISPLAY_WIDTH.sub(r"\1", kind), comment))
    return columns


def _read_keys(connection: Connection, database: str) -> dict[str, dict[str, list[str]]]:
    """Return the columns of each key of each table, the primary key first."""
    query = text(
        "SELECT table_name, index_name, column_name FROM information_schema.statistics WHERE table_schema = :d "
        "ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index"
    )
    keys: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for table, key, column in connection.execute(query, {"d": database}):
        keys[table][key].append(column)
    return keys


def main() -> None:
    """Print the dictionary of the archive that the settings name."""
    with connect(load_config(), Account.READER) as connection:
        sys.stdout.write(render(read_tables(connection, "ztf"), "ztf"))


if __name__ == "__main__":
    main()
