"""Accounts of people: whether the watchdog runs that holds them to their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, connect, read_password
from alertdb.doctor.findings import Finding, Grade
from alertdb.errors import AlertdbError, ServerRefused
from alertdb.people.accounts import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config

__all__ = ["examine_people", "judge_watchdog"]

CHECK = "watchdog"
LATE_SECONDS = 60
QUESTION = """
    SELECT (SELECT COUNT(*) FROM people), (SELECT TIMESTAMPDIFF(SECOND, at, UTC_TIMESTAMP(6)) FROM looks)"""


def examine_people(config: Config) -> Iterator[Finding]:
    """Ask the server as the watchdog does; without that account's password this is not the place to ask."""
    if read_password(config.secrets, Account.WATCHDOG) is None:
        return
    try:
        with connect(config, Account.WATCHDOG, DATABASE) as connection:
            people, seconds = connection.exec_driver_sql(QUESTION).one()
    except (ServerRefused, DBAPIError) as error:
        advice = "Run 'alertdb init' once more: it makes what accounts of people need."
        found = getattr(error, "orig", error)
        yield Finding(CHECK, Grade.WARNING, f"its account cannot be used: {found}", advice)
    except AlertdbError:
        return  # no server: that is a finding of its own
    else:
        yield judge_watchdog(people, seconds)


def judge_watchdog(people: int, seconds: int | None) -> Finding:
    """Say whether people are looked after; `seconds` is how long ago that last was, None for never."""
    if not people:
        return Finding(CHECK, Grade.OK, "nobody has an account of their own")
    late = seconds is None or seconds > LATE_SECONDS
    advice = (
        "Nobody ends statements over their limits, or who blocks a load: run 'alertdb watchdog' (docs/accounts.md)."
    )
    found = "it has never looked" if seconds is None else f"it looked {seconds:,} s ago"
    return Finding.judged(CHECK, found, Grade.WARNING if late else Grade.OK, advice)
