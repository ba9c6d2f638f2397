"""What can go wrong with an account of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AccountLocked",
    "AccountOpen",
    "ColumnUnusable",
    "ExportExists",
    "LimitReached",
    "NoScratch",
    "ScratchFull",
    "ScratchNameUnusable",
    "ScratchTableExists",
    "TooManyConnections",
    "UnknownLimit",
    "UnknownPerson",
]

GIGABYTE = 1e9


class NoScratch(AlertdbError):
    """The account in use has no scratch database."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"Account '{account}' has no database of its own; accounts that the hub makes (gh<number>) have one. "
            "Log in to the hub and use alertdb.connect() there."
        )


class ScratchFull(AlertdbError):
    """The scratch database is over its limit."""

    def __init__(self, name: str, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"Your database {name} holds {size_bytes / GIGABYTE:.2f} GB, {limit_bytes / GIGABYTE:.2f} GB are allowed: "
            "it can be read and deleted from only. scratch.tables() lists your tables, scratch.drop(NAME) drops one; a "
            "few seconds later it can be added to again."
        )


class ScratchNameUnusable(UsageError):
    """A name that no table or column can have."""

    def __init__(self, what: str, name: object) -> None:
        super().__init__(
            f"{name!r} cannot be the name of a {what}: expected 1 to 64 letters, digits and underscores, each name "
            "once. Upper and lower case make no difference between names of columns."
        )


class ScratchTableExists(UsageError):
    """The table is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Table {name} exists already. Replace it with replace=True, or choose another name.")


class ColumnUnusable(UsageError):
    """A column whose values no column of the database can have."""

    def __init__(self, name: str, found: str, hint: str) -> None:
        super().__init__(f"Column '{name}' cannot be stored: it has {found}. {hint}")


class LimitReached(AlertdbError):
    """A statement or its connection was ended at a limit, or because the archive had to wait for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"Ended by the watchdog ({reason}): {message}")


class AccountLocked(AlertdbError):
    """The account is there and locked: the server that it was made for has stopped."""

    def __init__(self, account: str) -> None:
        super().__init__(
            f"Account '{account}' is locked, as accounts are when their notebook server stops. Start the server anew "
            "in the hub."
        )


class TooManyConnections(AlertdbError):
    """The account has as many connections as it may."""

    def __init__(self, account: str, reason: str) -> None:
        super().__init__(
            f"Account '{account}' can open no further connection: {reason}. Close what you do not use, "
            "with archive.close(), and the kernels of other notebooks."
        )


class UnknownPerson(UsageError):
    """Nobody with this id has an account."""

    def __init__(self, person: int) -> None:
        super().__init__(f"Nobody with id {person} has an account. 'alertdb people list' shows who has.")


class AccountOpen(AlertdbError):
    """What belongs to an account that is in use is not removed."""

    def __init__(self, account: str, login: str) -> None:
        super().__init__(
            f"Account {account} ({login}) is open: a server of that person's runs. Stop the server in the hub first."
        )


class UnknownLimit(UsageError):
    """There is no limit of this name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no limit '{name}'; expected one of {', '.join(known)}.")


class ExportExists(UsageError):
    """A file that an export would write is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already. Export into an empty folder.")
