"""What is known of the tables and their columns without a server: meaning, unit, when NULL."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from alertdb.dictionary import Comment, declared_tables, parse_comment, parse_view_comments
from alertdb.schema import read_sql, summary_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["comments", "unit_of"]

VIEWS = ("lightcurve",)  # whose comments stand in their files


@cache
def comments() -> Mapping[str, Mapping[str, Comment]]:
    """Return the comment of each column, by table and column."""
    texts = {
        name: {column.name: column.comment for column in table.columns} for name, table in declared_tables().items()
    }
    texts |= {view: parse_view_comments(read_sql(f"views/ztf/{view}.sql")) for view in VIEWS}
    texts["summary"] = {
        column.name: column.definition.split("COMMENT '")[1].rstrip("',") for column in summary_columns()
    }
    return {
        table: {name: parse_comment(text) for name, text in columns.items() if text} for table, columns in texts.items()
    }


@cache
def unit_of(table: str, column: str) -> str | None:
    """Return the unit of a column, None where it has none.

    If there is no such table, as for the alias of a view, the one unit that all columns of this name have.
    """
    known = comments()
    owners = [known[table]] if table in known else list(known.values())
    units = {columns[column].unit for columns in owners if column in columns}
    return units.pop() if len(units) == 1 else None
