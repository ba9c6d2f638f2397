"""The tables of an archive and their columns, to be looked at, searched and completed with the tab key."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING

from alertdb.described import comments
from alertdb.dictionary import DISPLAY_WIDTH, ORDER
from alertdb.table_errors import NoSuchColumn, NoSuchTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from alertdb.query import Reader

__all__ = ["ColumnInfo", "TableInfo", "Tables"]

LISTING = """
    SELECT c.table_name AS tab, c.column_name AS col, c.column_type AS typ, t.table_comment AS about,
    t.table_type AS kind FROM information_schema.columns AS c JOIN information_schema.tables AS t
    USING (table_schema, table_name)
    WHERE table_schema = DATABASE() AND c.extra NOT LIKE '%INVISIBLE%' ORDER BY c.table_name, c.ordinal_position"""
VIEW_OF = {"lightcurve": "Light curves: one row per epoch of an object, whichever table it comes from"}
LIKE = 3  # names that are told when nothing is found


@dataclass(frozen=True)
class ColumnInfo:
    """One column: its table, name and SQL type, its unit (None without one), what it means, when it is NULL."""

    table: str
    name: str
    type: str
    unit: str | None
    meaning: str
    null: str

    def __repr__(self) -> str:
        unit = f" [{self.unit}]" if self.unit else ""
        null = "" if self.null in ("never", "") else f" NULL: {self.null}."
        return f"{self.table}.{self.name} {self.type}{unit}: {self.meaning.rstrip('.')}.{null}"


class Listing:
    """Some columns as a listing: in text, as a table in notebooks, as a frame."""

    def __init__(self, columns: Sequence[ColumnInfo], title: str) -> None:
        self._columns = tuple(columns)
        self._title = title

    def __iter__(self) -> Iterator[ColumnInfo]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def frame(self) -> pd.DataFrame:
        """Return the listing as a DataFrame: table, name, type, unit, null, meaning."""
        import pandas as pd

        names = ["table", "name", "type", "unit", "null", "meaning"]
        return pd.DataFrame([[getattr(column, name) for name in names] for column in self], columns=names)

    def __repr__(self) -> str:
        return "\n".join([self._title, *(f"  {column!r}" for column in self)])

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th style='text-align:left'>{name}</th>" for name in ("column", "type", "unit", "NULL", "meaning")
        )
        rows = "".join(_html_row(column) for column in self)
        return f"<p>{escape(self._title)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


class TableInfo(Listing):
    """One table or view; its columns are attributes, too: ``archive.tables.alerts.magpsf``."""

    def __init__(self, name: str, about: str, columns: Sequence[ColumnInfo]) -> None:
        super().__init__(columns, f"{name}: {about}" if about else name)
        self.name = name
        self.about = about
        self._by_name = {column.name: column for column in columns}

    def __getitem__(self, name: str) -> ColumnInfo:
        if name not in self._by_name:
            raise NoSuchColumn(self.name, name, _like(name, self._by_name))
        return self._by_name[name]

    def __getattr__(self, name: str) -> ColumnInfo:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._by_name]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._by_name)


class Tables:
    """The tables of an archive as attributes, with their columns as attributes of these.

    Parameters
    ----------
    reader
        Reads the database.

    Examples
    --------
    >>> archive.tables.alerts.magpsf.unit
    'mag'
    >>> [column.name for column in archive.tables.search("distance gaia")]
    ['neargaia', 'neargaiabright']
    """

    def __init__(self, reader: Reader) -> None:
        self._database = reader.database
        self._tables = _read(reader)

    def search(self, words: str) -> Listing:
        """Return the columns that have all these words in their name, unit or meaning, whatever the case.

        Parameters
        ----------
        words
            Such as ``"magnitude"``, ``"arcsec gaia"`` or ``"rb"``.
        """
        wanted = words.casefold().split()
        found = [column for table in self for column in table if _has(column, wanted)]
        title = f"{len(found)} columns with '{words}'"
        if not found:
            names = {column.name for table in self for column in table}
            near = [name for word in wanted for name in _like(word, names)]
            title += f"; names like it: {', '.join(near)}" if near else "; fewer or shorter words find more"
        return Listing(found, title)

    def __iter__(self) -> Iterator[TableInfo]:
        return iter(self._tables.values())

    def __len__(self) -> int:
        return len(self._tables)

    def __getitem__(self, name: str) -> TableInfo:
        if name not in self._tables:
            raise NoSuchTable(name, _like(name, self._tables), list(self._tables))
        return self._tables[name]

    def __getattr__(self, name: str) -> TableInfo:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._tables]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tables)

    def __repr__(self) -> str:
        lines = [f"  {table.name} ({len(table)} columns): {table.about}" for table in self]
        return "\n".join([f"{len(self)} tables of {self._database}; .search('magnitude') finds columns", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{table.name}</code></td><td>{len(table)}</td>"
            f"<td style='text-align:left'>{escape(table.about)}</td></tr>"
            for table in self
        )
        title = f"{len(self)} tables of {self._database}; <code>.search('magnitude')</code> finds columns"
        return f"<p>{title}</p><table><thead><tr><th>table</th><th>columns</th><th></th></tr></thead>{rows}</table>"


def _read(reader: Reader) -> dict[str, TableInfo]:
    known = comments()
    columns: dict[str, list[ColumnInfo]] = {}
    abouts: dict[str, str] = {}
    for row in reader.query(LISTING).to_pylist():
        table, name = row["tab"], row["col"]
        said = known.get(table, {}).get(name)
        unit, meaning, null = (said.unit, said.meaning, said.null) if said else (None, "", "")
        columns.setdefault(table, []).append(
            ColumnInfo(table, name, DISPLAY_WIDTH.sub(r"\1", row["typ"]), unit, meaning, null)
        )
        abouts[table] = VIEW_OF.get(table, "") if row["kind"] == "VIEW" else row["about"]
    in_order = sorted(columns, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return {name: TableInfo(name, abouts[name] or _about(name), columns[name]) for name in in_order}


def _about(name: str) -> str:
    """Return what a table is that has no comment of its own, as the views of the public database."""
    from alertdb.dictionary import declared_tables

    table = declared_tables().get(name)
    return table.comment if table else ""


def _has(column: ColumnInfo, words: Iterable[str]) -> bool:
    text = f"{column.name} {column.unit or ''} {column.meaning}".casefold()
    return all(word in text for word in words)


def _like(name: str, known: Iterable[str]) -> list[str]:
    by_folded = {other.casefold(): other for other in known}
    return [by_folded[match] for match in get_close_matches(name.casefold(), by_folded, LIKE)]


def _html_row(column: ColumnInfo) -> str:
    cells = (
        f"<code>{column.table}.{column.name}</code>",
        column.type,
        column.unit or "",
        column.null,
        escape(column.meaning),
    )
    return f"<tr>{''.join(f'''<td style='text-align:left'>{cell}</td>''' for cell in cells)}</tr>"
