"""Errors about names of tables and columns, for those who look them up as attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NoSuchColumn", "NoSuchTable"]


class NoSuchTable(UsageError, AttributeError, KeyError):
    """The archive has no table of this name."""

    def __init__(self, name: str, near: Sequence[str], known: Sequence[str]) -> None:
        hint = f"Nearest: {', '.join(near)}." if near else f"Tables: {', '.join(known)}."
        super().__init__(f"There is no table '{name}' in the archive. {hint}")

    __str__ = Exception.__str__


class NoSuchColumn(UsageError, AttributeError, KeyError):
    """A table has no column of this name."""

    def __init__(self, table: str, name: str, near: Sequence[str]) -> None:
        hint = f"Nearest: {', '.join(near)}." if near else "tables.search('word') looks in names, units and meanings."
        super().__init__(f"There is no column '{name}' in table {table}. {hint}")

    __str__ = Exception.__str__
