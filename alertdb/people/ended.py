"""Which limit ended a statement or a connection: the server says only that something did."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import mariadb

from alertdb.errors import AlertdbError
from alertdb.people.accounts import DATABASE
from alertdb.people.errors import LimitReached

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["explain_end"]

ENDED = (1317, 1927, 2006, 2013, 2055)  # interrupted, killed, and what a client sees of a connection that is gone
RECENT_SECONDS = 30
LOOKS, PAUSE_SECONDS = 3, 0.2  # the notice may come a moment after the end, while another user is in its way


def explain_end(
    error: mariadb.Error, connection: int, lookup: Callable[[str], Sequence[tuple[Any, ...]]]
) -> LimitReached | None:
    """Return which limit is behind an error of the driver, or None if none is.

    Parameters
    ----------
    error
        What the driver raised.
    connection
        Number of the connection that it came from.
    lookup
        Runs a statement over another connection and returns its rows.
    """
    if getattr(error, "errno", None) not in ENDED:
        return None
    query = f"""
        SELECT reason, message FROM {DATABASE}.my_notices
        WHERE (connection = {connection} OR connection IS NULL)
          AND at > UTC_TIMESTAMP(6) - INTERVAL {RECENT_SECONDS} SECOND
        ORDER BY at DESC LIMIT 1"""
    for _ in range(LOOKS):
        try:
            notices = lookup(query)
        except (AlertdbError, mariadb.Error):  # the server is gone, or this account has no notices
            return None
        if notices:
            return LimitReached(*notices[0])
        time.sleep(PAUSE_SECONDS)
    return None
