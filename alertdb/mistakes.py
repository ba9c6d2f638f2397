"""What is wrong with an SQL statement, said so that it can be mended: the nearest names, the place, the usual cause."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from alertdb.errors import (
    AlertdbError,
    NotReading,
    QueryRefused,
    QueryStopped,
    SyntaxMistake,
    TooMuchMemory,
    UnknownColumn,
    UnknownTable,
)

if TYPE_CHECKING:
    import mariadb

__all__ = ["explain_mistake", "nearest"]

Lookup = Callable[[str], Sequence[tuple[Any, ...]]]

SYNTAX, COLUMN, TABLE, TOO_LONG = 1064, 1054, 1146, 1969
STOPPED = (TOO_LONG, 1317)
KEYED = re.compile(r"\b(candid|objectId|jd|hpx29)`?\s*(=|<|>|in\b|between\b|like\b)", re.I)
# Words that MariaDB 10.11 takes for its own (`SELECT 1 AS word` fails) and that people use as names.
RESERVED = re.compile(
    r"(change|character|column|condition|databases|dec|double|exit|float|group|index|int|interval|keys?|leading|left|limit"
    r"|lines|match|mod|natural|numeric|offset|order|out|partition|precision|range|read|real|references|release|repeat"
    r"|return|right|row_number|rows|schemas|separator|signal|starting|table|trailing|trigger|unique|usage)\b",
    re.I,
)
CLAUSE = re.compile(
    r"(order|group|partition)\s+by\b|(limit|offset)\s+[\d:]|(left|right|natural)\s+(outer\s+)?join\b", re.I
)
MEMORY = "max-session-mem-used"  # the server says it as it says what its options forbid
DENIED = (1044, 1142, 1143, 1227, 1290, 1792)
NO_FUNCTION = (1305, 1370, 1630)
COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
TABLES = """SELECT CONCAT(IF(table_schema = DATABASE(), '', CONCAT(table_schema, '.')), table_name)
FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')"""


def explain_mistake(error: mariadb.Error, statement: str, lookup: Lookup, seconds: float = 0.0) -> AlertdbError:
    """Turn the driver's error about a statement into one of ours.

    Parameters
    ----------
    error
        What the driver raised.
    statement
        The statement as the user wrote it.
    lookup
        Runs a statement and returns its rows.
    seconds
        How long the statement ran.
    """
    number = getattr(error, "errno", None)
    words = " ".join(str(error).split())
    if number == COLUMN:
        return _unknown_column(_quoted(words), statement, lookup)
    if number == TABLE:
        return _unknown_table(_quoted(words), lookup)
    if number == SYNTAX:
        return _syntax(words, statement, lookup)
    if number in NO_FUNCTION:
        name = _quoted(words, last=True).rpartition(".")[2]
        return QueryRefused(f"it knows no function '{name}'")
    if number in DENIED:
        return _denied(words, lookup)
    if number in STOPPED:
        why = "max_statement_time allows no more" if number == TOO_LONG else "its end was asked for (KILL)"
        return QueryStopped(seconds, why, _what_would_help(statement))
    if "data elements" in words or "Data argument" in words:
        return QueryRefused("it has places '?'; write them as ':name' and give name=value")
    return QueryRefused(words.rstrip("."))


def nearest(name: str, known: Sequence[str], count: int = 3) -> list[str]:
    """Return the known names most like `name`, whatever their case."""
    by_folded = {other.casefold(): other for other in known}
    return [by_folded[match] for match in difflib.get_close_matches(name.casefold(), by_folded, count, cutoff=0.6)]


def _unknown_column(found: str, statement: str, lookup: Lookup) -> UnknownColumn:
    """Look for the nearest columns of the tables that the statement names, else for tables that have the column."""
    name = found.rpartition(".")[2]
    if _stands_as_text(found, statement):
        return UnknownColumn(found, [], is_text=True)
    words = {word.casefold() for word in re.findall(r"\w+", statement)}
    rows = lookup(COLUMNS)
    columns = [column for table, column in rows if table.casefold() in words]
    owners = [f"{table}.{column}" for table, column in rows if column.casefold() == name.casefold()]
    if name.casefold() in {column.casefold() for column in columns}:
        return UnknownColumn(found, owners)
    return UnknownColumn(found, nearest(name, columns) or owners or nearest(name, [column for _, column in rows]))


def _stands_as_text(found: str, statement: str) -> bool:
    """Tell whether a name with digits is compared with: no column of ours, but an objectId without quotes."""
    compared = r"(=|<>|\blike|\bin\s*\([^()]*)\s*" + re.escape(found)
    return re.search(r"\d{2}", found) is not None and re.search(compared, statement, re.I) is not None


def _unknown_table(found: str, lookup: Lookup) -> UnknownTable:
    name = found.rpartition(".")[2]
    known = [row[0] for row in lookup(TABLES)]
    return UnknownTable(name, nearest(name, known), [other for other in known if "." not in other])


def _denied(words: str, lookup: Lookup) -> AlertdbError:
    """Tell writing from looking at what is not there: the server denies both in the same words."""
    if MEMORY in words:
        return TooMuchMemory(words)
    if words.startswith("SELECT command denied"):
        return _unknown_table(words.rpartition(" ")[2].replace("`", ""), lookup)
    return NotReading(words)


def _what_would_help(statement: str) -> str:
    """Say how a statement that took too long becomes shorter."""
    if not KEYED.search(statement):
        return "Add a condition on a key, such as a range of jd, objectId IN :names or candid IN :candids"
    if re.search(r"\blightcurve\b", statement, re.I):
        return "Light curves of many objects come faster from lightcurve(names)"
    return "Ask for a shorter range, or for table summary instead of alerts; EXPLAIN says which key is used"


def _syntax(words: str, statement: str, lookup: Lookup) -> SyntaxMistake:
    match = re.search(r"near '(.*)' at line (\d+)$", words)
    if match is None:
        return SyntaxMistake("", words)
    near = match[1]
    if not near:
        return SyntaxMistake("at its end: something is missing there", "")
    place = f"near '{near[:40]}' ({_position(near, statement) or f'line {match[2]}'})"
    return SyntaxMistake(place, _hint(near, statement, lookup))


def _position(near: str, statement: str) -> str | None:
    """Return line and column at which the server stopped: it quotes the statement from there on."""
    flexible = r"\s+".join(re.escape(word) for word in near.split())
    matches = list(re.finditer(flexible, statement))
    if not matches:
        return None
    before = statement[: matches[-1].start()]
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _hint(near: str, statement: str, lookup: Lookup) -> str:
    word = RESERVED.match(near)
    if word is not None and not CLAUSE.match(near):
        return _reserved(word[0], lookup)
    if re.search(r"\w\s+\(\s*" + re.escape(near[:1]), statement) and near.startswith("*"):
        return "Between a function and its parenthesis there is no space: COUNT(*)."
    if re.match(r":\w", near):
        return "A ':name' needs a value."
    if ";" in statement.strip().rstrip(";"):
        return "One statement at a time."
    return "The mistake is there or just before."


def _reserved(word: str, lookup: Lookup) -> str:
    """Say how a word of SQL is used as a name; after a table's name and a dot it needs no backticks."""
    owners = [table for table, column in lookup(COLUMNS) if column.casefold() == word.casefold()]
    other = f" (or write {'alerts' if 'alerts' in owners else owners[0]}.{word})" if owners else ""
    return (
        f"'{word}' is a word of SQL: write it `{word}` in backticks and put the whole statement into 'single quotes', "
        f"so that the shell leaves the backticks alone{other}."
    )


def _quoted(words: str, *, last: bool = False) -> str:
    """Return the name that the server quotes in its message."""
    names = re.findall(r"'([^']*)'", words)
    return names[-1 if last else 0] if names else ""
