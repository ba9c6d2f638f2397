"""What belongs to a person, named by the numeric id at GitHub: it outlives a changed login."""

from __future__ import annotations

import re

__all__ = ["LIMITS", "account_name", "person_of", "scratch_name"]

LIMITS = ("connections", "idle_transaction_seconds", "scratch_MB", "statement_seconds", "transaction_seconds")

ACCOUNT = re.compile(r"gh(\d+)")


def account_name(person: int) -> str:
    """Return the name of a person in the hub and of the account on the database server."""
    return f"gh{person}"


def scratch_name(person: int) -> str:
    """Return the name of a person's scratch database."""
    return f"my_{person}"


def person_of(account: str | None) -> int | None:
    """Return whose account this is, or None if it is none of a person."""
    match = ACCOUNT.fullmatch(account or "")
    return int(match[1]) if match else None
