"""What people's connections may not do, judged from one look at the server: whom to end, and what to say.

A person is whoever has an account ``gh<id>``. Everybody else (the loader, the administrator, the hub) is waited for:
a person's connection that keeps one of them waiting is ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from alertdb.database import Account
from alertdb.people.names import person_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Ending", "Limits", "Look", "Memory", "Process", "Transaction", "judge", "locks_waited_for"]

GRACE_SECONDS = 2.0  # the server itself ends statements at the limit, unless a user has lifted that
TABLE_WAIT_SECONDS = 5.0  # for a change of tables, statements that run get this long to finish
TABLE_PATIENCE_SECONDS = 15.0  # then all people's connections go: one may hold a table without a transaction
WAITS_FOR_TABLE = "Waiting for table metadata lock"
WAITS_FOR_NAME = "User lock"
LOCK_NAME = re.compile(r"GET_LOCK\s*\(\s*'([^']+)'", re.IGNORECASE)


class Process(NamedTuple):
    """A connection, as the server lists it; `seconds` since it began its statement, or fell idle."""

    id: int
    account: str
    command: str
    state: str
    seconds: float
    statement: str | None


class Transaction(NamedTuple):
    """An open transaction; `name` tells it from others of the same connection, `connection` is 0 if it has lost its."""

    name: str
    connection: int


@dataclass(frozen=True)
class Limits:
    """What one person may take; see table ``limits``."""

    statement_seconds: float
    idle_transaction_seconds: float
    transaction_seconds: float


@dataclass(frozen=True)
class Look:
    """One look at the server.

    Attributes
    ----------
    processes
        All connections by id.
    transactions
        All that are open.
    row_waits
        Pairs of connections: who waits for a row, and who has it locked.
    name_holders
        Connections that hold the named locks which others wait for, see `locks_waited_for`.
    """

    processes: Mapping[int, Process]
    transactions: tuple[Transaction, ...] = ()
    row_waits: tuple[tuple[int, int], ...] = ()
    name_holders: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Ending:
    """A connection to end (or its statement alone), and what its user is told."""

    process: Process
    reason: str
    message: str
    only_statement: bool = False


@dataclass
class Memory:
    """Since when things have been as they are; times are seconds of a clock that never goes back."""

    since: dict[object, float] = field(default_factory=dict)

    def seconds(self, things: Iterable[object], now: float) -> dict[object, float]:
        """Return for how long each of these has been there, and forget all others."""
        self.since = {thing: self.since.get(thing, now) for thing in things}
        return {thing: now - first for thing, first in self.since.items()}


def is_person(account: str) -> bool:
    """Tell whether an account has limits."""
    return person_of(account) is not None


def is_guest(account: str) -> bool:
    """Tell whether an account must not keep others waiting: it only reads."""
    return is_person(account) or account == Account.READER.user


def locks_waited_for(processes: Iterable[Process]) -> set[str]:
    """Return the named locks that others than guests wait for, read from their statements."""
    waiting = [p for p in processes if p.state == WAITS_FOR_NAME and not is_guest(p.account)]
    return {match[1] for p in waiting if (match := LOCK_NAME.search(p.statement or ""))}


def judge(look: Look, limits: Limits, memory: Memory, now: float) -> list[Ending]:
    """Return what is to be ended, each connection once."""
    waits = {p.id for p in look.processes.values() if p.state == WAITS_FOR_TABLE and not is_guest(p.account)}
    ages = memory.seconds([*look.transactions, *waits], now)
    waited = max((ages[process] for process in waits), default=0.0)
    found = [
        *_blockers(look),
        *_blockers_of_tables(look, waited),
        *_transactions(look, limits, ages),
        *_statements(look, limits),
    ]
    return list({ending.process.id: ending for ending in reversed(found)}.values())


def _blockers(look: Look) -> list[Ending]:
    """Find guests that hold rows or named locks which others than guests wait for."""
    rows = {blocking for waiting, blocking in look.row_waits if not is_guest(_account(look, waiting))}
    kept = "; the connection was ended. Read without FOR UPDATE or LOCK IN SHARE MODE, and leave READ COMMITTED on."
    named = "; the connection was ended. Choose names of your own, such as your account's."
    return [
        *(
            Ending(p, "blocked_rows", f"It had rows locked that the archive waits for{kept}")
            for p in _guests(look, rows)
        ),
        *(
            Ending(p, "blocked_name", f"It held a named lock that the archive waits for{named}")
            for p in _guests(look, look.name_holders)
        ),
    ]


def _blockers_of_tables(look: Look, waited: float) -> list[Ending]:
    """Find guests in the way of a change of tables: a table that was read is held until the transaction ends."""
    if waited < TABLE_WAIT_SECONDS:
        return []
    busy = {t.connection for t in look.transactions}
    chosen = look.processes if waited >= TABLE_PATIENCE_SECONDS else busy
    message = "The archive's tables are being changed, and this connection may hold one; it was ended. Ask again."
    return [Ending(p, "blocked_table", message) for p in _guests(look, chosen)]


def _transactions(look: Look, limits: Limits, ages: Mapping[object, float]) -> list[Ending]:
    found = []
    for transaction in look.transactions:
        process = look.processes.get(transaction.connection)
        if process is None or not is_person(process.account):
            continue
        age = ages[transaction]
        idle = min(age, process.seconds) if process.command == "Sleep" else 0.0
        if idle > limits.idle_transaction_seconds:
            found.append(Ending(process, "idle_transaction_seconds", _idle(idle, limits)))
        elif age > limits.transaction_seconds:
            found.append(Ending(process, "transaction_seconds", _old(age, limits)))
    return found


def _statements(look: Look, limits: Limits) -> list[Ending]:
    return [
        Ending(process, "statement_seconds", _slow(process.seconds, limits), only_statement=True)
        for process in look.processes.values()
        if is_person(process.account)
        and process.command not in ("Sleep", "Killed")
        and process.seconds > limits.statement_seconds + GRACE_SECONDS
    ]


def _idle(seconds: float, limits: Limits) -> str:
    return (
        f"Its transaction was open and idle for {seconds:.0f} s, {limits.idle_transaction_seconds:.0f} s are allowed; "
        "the connection was ended. End transactions with COMMIT, or use autocommit."
    )


def _old(seconds: float, limits: Limits) -> str:
    return (
        f"Its transaction was open for {seconds:.0f} s, {limits.transaction_seconds:.0f} s are allowed; the connection "
        "was ended. Commit more often."
    )


def _slow(seconds: float, limits: Limits) -> str:
    return (
        f"The statement ran for {seconds:.0f} s, {limits.statement_seconds:.0f} s are allowed; it was ended. Ask for a "
        "shorter range of jd or candid at a time."
    )


def _guests(look: Look, connections: Iterable[int]) -> list[Process]:
    return [p for number in connections if (p := look.processes.get(number)) and is_guest(p.account)]


def _account(look: Look, connection: int) -> str:
    process = look.processes.get(connection)
    return process.account if process else ""
