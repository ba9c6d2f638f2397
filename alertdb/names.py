"""The known objects nearest to a name that no object has, by a few lookups of the key."""

from __future__ import annotations

import difflib
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alertdb.query import Reader

__all__ = ["nearest_objects"]

LETTERS = string.ascii_lowercase + string.digits
LONGEST = 32  # of alerts.objectId
SHOWN = 3
ALIKE = 0.6  # share of letters in common from which a known name may have been meant


def nearest_objects(reader: Reader, name: str) -> list[str]:
    """Return up to three known objectIds: those that differ by case or one letter, else like neighbours in order."""
    short = name.strip()[:LONGEST]
    near = _known(reader, sorted(_variants(short)))
    near = near or _neighbours(reader, _canonical(short))
    return difflib.get_close_matches(_canonical(short), near, SHOWN, cutoff=ALIKE)


def _canonical(name: str) -> str:
    """Return a name as the survey writes it: letters of the survey, two digits, small letters."""
    return name[:3].upper() + name[3:].lower()


def _variants(name: str) -> set[str]:
    """Return the name in the survey's case, and all names that differ from that by one letter."""
    base = _canonical(name)
    splits = [(base[:place], base[place:]) for place in range(len(base) + 1)]
    swapped = {left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1}
    shorter = {left + right[1:] for left, right in splits if right}
    changed = {left + letter + right[1:] for left, right in splits if right for letter in LETTERS}
    longer = {left + letter + right for left, right in splits for letter in LETTERS}
    variants = {base} | swapped | shorter | changed | longer
    return {_canonical(variant) for variant in variants if 0 < len(variant) <= LONGEST}


def _known(reader: Reader, names: list[str]) -> list[str]:
    found = reader.query("SELECT DISTINCT objectId FROM alerts WHERE objectId IN :names", {"names": names})
    return [str(value) for value in found.column(0).to_pylist()]


def _neighbours(reader: Reader, name: str) -> list[str]:
    statement = """
        (SELECT objectId FROM alerts WHERE objectId > :name ORDER BY objectId LIMIT 1)
        UNION (SELECT objectId FROM alerts WHERE objectId < :name ORDER BY objectId DESC LIMIT 1)"""
    return [str(value) for value in reader.query(statement, {"name": name}).column(0).to_pylist()]
