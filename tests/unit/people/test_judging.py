"""Whom the watchdog ends, from looks at a server that are written down here."""

from __future__ import annotations

import pytest

from alertdb.people.judging import Limits, Look, Memory, Process, Transaction, judge, locks_waited_for
from alertdb.people.names import account_name, person_of, scratch_name

LIMITS = Limits(statement_seconds=100, idle_transaction_seconds=60, transaction_seconds=1000)
ADA, BOB, LOADER, READER, OTHER = "gh1", "gh2", "alertdb_loader", "alertdb_reader", "ghost"


def process(number: int, account: str, command: str = "Query", seconds: float = 0, **more: str) -> Process:
    return Process(number, account, command, more.get("state", ""), seconds, more.get("statement", "SELECT 1"))


def ended(look: Look, memory: Memory | None = None, now: float = 0.0) -> dict[int, str]:
    return {ending.process.id: ending.reason for ending in judge(look, LIMITS, memory or Memory(), now)}


def look(*processes: Process, **more: object) -> Look:
    return Look({p.id: p for p in processes}, **more)  # type: ignore[arg-type]


def test_statements_end_at_the_limit_and_a_little_later_than_the_server_would() -> None:
    slow = look(process(1, ADA, seconds=101), process(2, ADA, seconds=103), process(3, ADA, "Sleep", seconds=9999))
    assert ended(slow) == {2: "statement_seconds"}


@pytest.mark.parametrize("account", [LOADER, READER, OTHER, "root", "gh", "gh1x"])
def test_only_people_have_limits(account: str) -> None:
    long = look(process(1, account, seconds=9999), transactions=(Transaction("t", 1),))
    memory = Memory()
    assert ended(long, memory, 0) == {}
    assert ended(long, memory, 1e6) == {}


def test_transactions_end_when_idle_or_old() -> None:
    memory = Memory()
    one, two = Transaction("1 2024", 1), Transaction("2 2024", 2)

    def at(now: float, idle: float) -> dict[int, str]:
        there = look(process(1, ADA, "Sleep", seconds=idle), process(2, BOB, seconds=5), transactions=(one, two))
        return ended(there, memory, now)

    assert at(0, 500) == {}  # idle for long, but it was not seen in a transaction
    assert at(59, 559) == {}
    assert at(61, 561) == {1: "idle_transaction_seconds"}
    assert at(1001, 1) == {1: "transaction_seconds", 2: "transaction_seconds"}


def test_one_transaction_after_the_other_is_not_one_old_one() -> None:
    memory = Memory()
    for second in range(0, 5000, 10):
        busy = look(process(1, ADA, seconds=1), transactions=(Transaction(f"1 {second // 100}", 1),))
        assert ended(busy, memory, second) == {}


def test_who_keeps_others_waiting_for_rows_is_ended_at_once() -> None:
    people = process(1, ADA, "Sleep"), process(2, BOB), process(3, LOADER), process(4, READER, "Sleep")
    assert ended(look(*people, row_waits=((3, 1), (3, 4)))) == {1: "blocked_rows", 4: "blocked_rows"}
    assert ended(look(*people, row_waits=((2, 1), (1, 3)))) == {}  # people wait for each other, and for the loader


def test_who_holds_a_name_that_the_loader_waits_for_is_ended() -> None:
    waiting = process(3, LOADER, state="User lock", statement="SELECT GET_LOCK('alertdb.ztf.merge', 86400)")
    person = process(2, BOB, state="User lock", statement="SELECT GET_LOCK('mine', 10)")
    assert locks_waited_for([waiting, person]) == {"alertdb.ztf.merge"}
    assert ended(look(waiting, process(1, ADA, "Sleep"), name_holders=frozenset({1, 3}))) == {1: "blocked_name"}


def test_a_change_of_tables_is_let_through() -> None:
    memory = Memory()
    waiting = process(9, "root", state="Waiting for table metadata lock")
    there = look(
        waiting, process(1, ADA), process(2, BOB, "Sleep"), process(3, LOADER), transactions=(Transaction("t", 1),)
    )
    assert ended(there, memory, 0) == {}
    assert ended(there, memory, 6) == {1: "blocked_table"}
    assert ended(there, memory, 16) == {1: "blocked_table", 2: "blocked_table"}
    assert ended(look(process(1, ADA)), memory, 17) == {}


def test_names() -> None:
    assert (account_name(11), scratch_name(11), person_of("gh11")) == ("gh11", "my_11", 11)
    assert [person_of(name) for name in ("gh", "gh1 ", "my_11", "alertdb_reader", None)] == [None] * 5
