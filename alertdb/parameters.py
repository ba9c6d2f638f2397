"""Values for the `:name` places of an SQL statement, bound and never written into its text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alertdb.errors import ParameterMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["bind", "first_word"]

# What a `:name` or `%` in it does not count: texts, quoted names, comments. Then the places themselves.
SKIPPED = r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*` | /\*.*?\*/ | --(?=\s)[^\n]* | \#[^\n]*"""
PLACE = re.compile(
    rf"(?P<skipped>{SKIPPED}) | (?<![\w:]):(?P<name>[A-Za-z_]\w*) | (?P<percent>%)", re.VERBOSE | re.DOTALL
)
LEADING = re.compile(r"(?:\s | /\*.*?\*/ | --(?=\s)[^\n]* | \#[^\n]* | \()*", re.VERBOSE | re.DOTALL)
NO_VALUES = "SELECT NULL FROM DUAL WHERE FALSE"  # an empty list: IN is never true, NOT IN always


def bind(statement: str, parameters: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """Replace each `:name` by `?` and return the statement with the values in the order of the places.

    A list, tuple, set, NumPy array or pandas column becomes as many places as it has values, in parentheses unless
    they are there: ``candid IN :candids`` and ``candid IN (:candids)`` are the same.

    Raises
    ------
    ParameterMissing
        If a place has no value, or a value no place.
    """
    if not parameters:
        return statement, ()
    values: list[Any] = []
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:  # the driver takes %s for a place of its own kind
            return "% " if match["percent"] else match[0]
        if name not in parameters:
            raise ParameterMissing(name, sorted(parameters))
        used.add(name)
        value = _plain(parameters[name])
        if not isinstance(value, list):
            values.append(value)
            return "?"
        values.extend(value)
        places = ", ".join("?" * len(value)) or NO_VALUES
        return places if _is_enclosed(match) else f"({places})"

    text = PLACE.sub(replace, statement)
    if unused := sorted(set(parameters) - used):
        raise ParameterMissing.unused(unused)
    return text, tuple(values)


def first_word(statement: str) -> str:
    """Return the word, in capitals, with which a statement begins after comments and parentheses."""
    start = LEADING.match(statement)
    word = re.match(r"\w+", statement[start.end() if start else 0 :])
    return word[0].upper() if word else ""


def _is_enclosed(match: re.Match[str]) -> bool:
    before = match.string[: match.start()].rstrip()
    after = match.string[match.end() :].lstrip()
    return before.endswith("(") and after.startswith(")")


def _plain(value: object) -> object:
    """Return numbers of NumPy and pandas as those of Python, and anything that holds several values as a list."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):
        value = value.tolist()  # a scalar of NumPy gives a scalar
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in _ordered(value)]
    return value


def _ordered(values: Iterable[Any]) -> Iterable[Any]:
    return sorted(values) if isinstance(values, set | frozenset) else values
