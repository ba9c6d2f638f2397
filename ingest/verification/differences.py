"""What differs between what is stored and what must be: found cell by cell, named one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Difference", "compare_cells", "find_absent"]

NOTHING = "nothing"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be.

    Attributes
    ----------
    table
        Table, or ``thumbnails``.
    key
        Which row or document.
    column
        Which cell or stamp of it; empty if all of it.
    found, expected
        What is there, and what must be, in words.
    """

    table: str
    key: str
    column: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.table, self.key, self.column) if part)
        return f"{place}: {self.found} found, {self.expected} expected"


def find_absent(table: str, key: Sequence[str], expected: pl.DataFrame, found: pl.DataFrame) -> Iterator[Difference]:
    """Yield one difference for each row whose key is not found."""
    for row in expected.join(found, on=list(key), how="anti").select(key).iter_rows():
        yield Difference(table, describe(row), "", NOTHING, "a row")


def compare_cells(table: str, key: Sequence[str], expected: pl.DataFrame, found: pl.DataFrame) -> Iterator[Difference]:
    """Yield each cell that differs in rows whose key stands in both frames; floats are compared bit for bit."""
    pairs = expected.join(found, on=list(key), how="inner", suffix="/found")
    for column in (name for name in expected.columns if name not in key):
        other = f"{column}/found"
        bad = pairs.filter(~pl.col(column).eq_missing(pl.col(other)))
        for *names, right, wrong in bad.select(*key, column, other).iter_rows():
            yield Difference(table, describe(names), column, shown(wrong), shown(right))


def describe(key: Sequence[Any]) -> str:
    """Return the key of a row as it is printed."""
    return "/".join(str(part) for part in key)


def shown(value: Any) -> str:
    """Return the value of a cell as it is printed."""
    return "NULL" if value is None else repr(value)
