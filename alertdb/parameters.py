"""Values for the `:name` places of an SQL statement, written as literals that need no escaping.

Not as places of a prepared statement: MariaDB pushes `objectId = 'ZTF…'` into the branches of the view `lightcurve`,
and does not push `objectId = ?`, for which it would first make the light curves of all objects.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from alertdb.errors import ParameterMissing, ParameterUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["bind", "first_word", "places", "without_texts"]

# What a `:name` in it does not count: texts, quoted names, comments.
SKIPPED = r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `[^`]*` | /\*.*?\*/ | --(?=\s)[^\n]* | \#[^\n]*"""
PLACE = re.compile(rf"{SKIPPED} | (?<![\w:]):(?P<name>[A-Za-z_]\w*)", re.VERBOSE | re.DOTALL)
LEADING = re.compile(r"(?:\s | /\*.*?\*/ | --(?=\s)[^\n]* | \#[^\n]* | \()*", re.VERBOSE | re.DOTALL)
HARMLESS = re.compile(r"[\w .:+/-]*", re.ASCII)
NO_VALUES = "SELECT NULL FROM DUAL WHERE FALSE"  # an empty list: IN is never true, NOT IN always


def bind(statement: str, parameters: Mapping[str, Any]) -> str:
    """Put a value into each `:name` of a statement.

    A list, tuple, set, NumPy array or pandas column becomes a list in parentheses, unless these are there:
    ``candid IN :candids`` and ``candid IN (:candids)`` are the same. Without parameters nothing is a place.

    Raises
    ------
    ParameterMissing
        If a place has no value, or a value no place.
    ParameterUnusable
        If SQL has no such value (NaN, a dictionary).
    """
    if not parameters:
        return statement
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in parameters:
            raise ParameterMissing(name, sorted(parameters))
        used.add(name)
        value = _plain(parameters[name])
        if not isinstance(value, list):
            return _literal(name, value)
        values = ", ".join(_literal(name, item) for item in value) or NO_VALUES
        return values if _is_enclosed(match) else f"({values})"

    text = PLACE.sub(replace, statement)
    if unused := sorted(set(parameters) - used):
        raise ParameterMissing.unused(unused)
    return text


def places(statement: str) -> list[str]:
    """Return the names of a statement's `:name` places, each once."""
    return list(dict.fromkeys(match["name"] for match in PLACE.finditer(statement) if match["name"]))


def first_word(statement: str) -> str:
    """Return the word, in capitals, with which a statement begins after comments and parentheses."""
    start = LEADING.match(statement)
    word = re.match(r"\w+", statement[start.end() if start else 0 :])
    return word[0].upper() if word else ""


def without_texts(statement: str) -> str:
    """Return a statement without what stands in quotes or comments."""
    return PLACE.sub(lambda match: match[0] if match["name"] else " ", statement)


def _is_enclosed(match: re.Match[str]) -> bool:
    before = match.string[: match.start()].rstrip()
    after = match.string[match.end() :].lstrip()
    return before.endswith("(") and after.startswith(")")


def _plain(value: Any) -> Any:
    """Return numbers of NumPy and pandas as those of Python, and anything that holds several values as a list."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):
        value = value.tolist()  # a scalar of NumPy gives a scalar
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def _literal(name: str, value: Any) -> str:
    """Return a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return f"{value!r}e0" if "e" not in repr(value) else repr(value)  # without an exponent it were a DECIMAL
    if isinstance(value, str):
        return _text_literal(value)
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, datetime | date | Decimal):
        return f"'{value}'"
    raise ParameterUnusable(name, value)


def _text_literal(text: str) -> str:
    """Return a text in quotes, or in hexadecimal where quotes might not hold it whatever the server's sql_mode."""
    return f"'{text}'" if HARMLESS.fullmatch(text) else f"_utf8mb4 X'{text.encode().hex()}'"
