"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Grade"]


class Grade(StrEnum):
    """How bad it is: a warning may have its reasons, a problem stops something or endangers data."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do; `advice` is empty where nothing needs to be done."""

    check: str
    grade: Grade
    found: str
    advice: str = ""

    @classmethod
    def judged(cls, check: str, found: str, grade: Grade, advice: str) -> Finding:
        """Make a finding whose advice counts only if something is wrong."""
        return cls(check, grade, found, "" if grade is Grade.OK else advice)
