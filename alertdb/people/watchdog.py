"""The watchdog: once a second it looks at the server and ends what goes over a limit or keeps the archive waiting."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

import mariadb
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, explain_refusal
from alertdb.people.judging import Memory, judge
from alertdb.people.names import account_name, person_of
from alertdb.people.server_view import ServerView
from alertdb.sessions import is_lost

if TYPE_CHECKING:
    from alertdb.config import Config
    from alertdb.people.judging import Limits, Look
    from alertdb.people.server_view import Irregular

__all__ = ["Watchdog", "watch"]

log = logging.getLogger("watchdog")
Notice = tuple[str, int | None, str, str, str | None]

NOTICES_KEPT = 1000  # while a user keeps them from being written
FORGET_SECONDS = 3600.0
NOTE_SECONDS = 10.0  # each second would be a write to the disk each second
GIGABYTE = 1e9


class Watchdog:
    """One look after the other, over one connection.

    Parameters
    ----------
    server
        The server, as the watchdog's account sees it.
    """

    def __init__(self, server: ServerView) -> None:
        self._server = server
        self._transactions = Memory()
        self._prepared = Memory()
        self._notices: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self._forgot = -FORGET_SECONDS
        self._noted = -NOTE_SECONDS

    def look(self, now: float | None = None) -> None:
        """Look once, and end what is to be ended.

        Parameters
        ----------
        now
            Seconds of a clock that never goes back; if None, the machine's.
        """
        now = time.monotonic() if now is None else now
        limits, look = self._server.limits(), self._server.look()
        for ending in judge(look, limits, self._transactions, now):
            process = ending.process
            self._tell(process.account, process.id, ending.reason, ending.message, process.statement)
            self._server.end(ending)
        self._roll_back(look, limits, now)
        self._look_after_scratch()
        self._write_notices()
        if now - self._forgot >= FORGET_SECONDS:
            self._server.forget_notices()
            self._forgot = now
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            self._server.note_look()

    def _roll_back(self, look: Look, limits: Limits, now: float) -> None:
        """Roll back prepared transactions that nobody owns: at once if somebody waits for one, else when idle."""
        ages = self._prepared.seconds(self._server.prepared(), now)
        is_blocking = any(blocking == 0 for _, blocking in look.row_waits)
        for name, age in ages.items():
            if (is_blocking or age > limits.idle_transaction_seconds) and self._server.roll_back(str(name)):
                log.warning("a prepared transaction that nobody owned was rolled back: %s", name)

    def _look_after_scratch(self) -> None:
        irregular = self._server.irregular()
        for table in irregular:
            self._mend(table)
        sizes = self._server.sizes(irregular)
        for person, is_full, noted, limit in self._server.scratches():
            size = sizes.get(person, 0)
            if size != noted:
                self._server.note_size(person, size)
            if size > limit and not is_full:
                self._tell(account_name(person), None, "scratch_MB", _full(person, size, limit), None)
                self._server.close_scratch(person)
            elif size <= limit and is_full:
                self._server.reopen_scratch(person)
                log.info("%s may add to scratch again", account_name(person))

    def _mend(self, table: Irregular) -> None:
        account = table.home.replace("my_", "gh")
        if person_of(account) is None or table.kind not in ("foreign key", "MEMORY"):
            return
        self._tell(account, None, "scratch_tables", _irregular(table), None)
        try:
            self._server.drop(table)
        except mariadb.Error as error:  # it is in use: the next look
            if is_lost(error):
                raise
            log.warning("%s: %s is in use: %s", account, table.table, error)

    def _tell(self, account: str, connection: int | None, reason: str, message: str, statement: str | None) -> None:
        """Write a notice down before what it tells of happens, so that it is there when its user looks."""
        log.warning("%s, connection %s: %s. %s", account, connection, reason, message)
        self._notices.append((account, connection, reason, message, statement))
        self._write_notices()

    def _write_notices(self) -> None:
        while self._notices and self._server.notify(*self._notices[0]):
            self._notices.popleft()


def watch(config: Config, every_seconds: float) -> None:
    """Look for ever; a server that is gone for a while is waited for.

    Raises
    ------
    ServerRefused
        If the server does not let the watchdog in.
    """
    log.info("watching, every %g s", every_seconds)
    while True:
        try:
            server = ServerView(config)
            server.limits()  # another account than the watchdog's may not read them
        except (DBAPIError, mariadb.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if not is_lost(cause or error):
                raise explain_refusal(config, Account.WATCHDOG, cause) from error
            log.warning("the server does not answer: %s", cause)
            time.sleep(every_seconds)
            continue
        _watch_through(server, every_seconds)


def _watch_through(server: ServerView, every_seconds: float) -> None:
    watchdog = Watchdog(server)
    told = ""
    while True:
        try:
            watchdog.look()
        except mariadb.Error as error:
            if is_lost(error):
                log.warning("the connection was lost: %s", error)
                return
            if str(error) != told:  # what is missing after an upgrade is missing at every look
                told = str(error)
                log.error("a look failed, and is tried again and again: %s. After an upgrade run 'alertdb init'.", told)  # noqa: TRY400 - one line
        time.sleep(every_seconds)


def _full(person: int, size: int, limit: int) -> str:
    return (
        f"Scratch database my_{person} holds {size / GIGABYTE:.2f} GB, {limit / GIGABYTE:.2f} GB are allowed: it can "
        "be read and deleted from until it is smaller, and its connections were ended. Drop tables; "
        "deleting rows alone frees no space."
    )


def _irregular(table: Irregular) -> str:
    if table.foreign_key is not None:
        what = f"Foreign key {table.foreign_key} of table {table.table} pointed out of {table.home}"
        return f"{what}, which would keep rows of the archive from being deleted; the key was dropped."
    return f"Table {table.table} lay in the server's memory, which is for all; it was dropped. Use ENGINE = InnoDB."
