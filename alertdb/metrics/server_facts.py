"""What the database tells of itself and of the archive; a handful of short questions, none of which reads alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, connect, read_password
from alertdb.errors import AlertdbError
from alertdb.people.accounts import DATABASE
from alertdb.schema import public_database
from alertdb.status import JD_UNIX_EPOCH

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = ["ServerFacts", "ask_server", "ask_watchdog"]

STATEMENT_SECONDS = 5  # questions that wait for longer must not pile up
DAY_SECONDS = 86400
LEDGER = (
    "SELECT COUNT(IF(state = 'complete', 1, NULL)) AS complete, COUNT(IF(state = 'partial', 1, NULL)) AS `partial`, "
    "COALESCE(SUM(alerts), 0) AS alerts, COALESCE(SUM(rejects), 0) AS rejects, MAX(night) AS night, "
    "MAX(jd_last) AS jd, MAX(loaded_at) AS loaded_at FROM tarballs"
)
TABLES = (
    "SELECT table_schema, table_name, table_rows, data_length + index_length FROM information_schema.tables "
    "WHERE table_schema IN (:survey, :public) AND table_type = 'BASE TABLE'"
)


@dataclass(frozen=True)
class ServerFacts:
    """What the server said; times in seconds since 1970 (UTC), None where there is nothing yet.

    Attributes
    ----------
    tarballs
        How many the ledger has, by state.
    alerts, rejects
        Sums over the ledger.
    newest_night
        Midnight (UTC) of the date that names it.
    tables
        Rows (estimated by the server) and bytes of each table, by database and name.
    loads
        Tarballs that are being loaded.
    """

    version: str
    tarballs: dict[str, int]
    alerts: int
    rejects: int
    newest_night: float | None
    newest_alert: float | None
    newest_load: float | None
    tables: dict[tuple[str, str], tuple[int, int]]
    connections: int
    most_connections: int
    loads: int


def ask_server(config: Config, survey: str) -> ServerFacts:
    """Ask the server, as the archive's reader.

    Raises
    ------
    AlertdbError
        If it does not answer.
    sqlalchemy.exc.DBAPIError
        If it answers something else.
    """
    with connect(config, Account.READER, survey) as connection:
        connection.exec_driver_sql(f"SET SESSION max_statement_time = {STATEMENT_SECONDS}")
        ledger = connection.exec_driver_sql(LEDGER).one()
        names = {"survey": survey, "public": public_database(survey)}
        tables = {(row[0], row[1]): (row[2] or 0, row[3] or 0) for row in connection.execute(text(TABLES), names)}
        version, most = connection.exec_driver_sql("SELECT VERSION(), @@max_connections").one()
        connections = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Threads_connected'").one()[1]
        loads = _count_loads(connection, config, survey)
    return ServerFacts(
        version=version,
        tarballs={"complete": ledger.complete, "partial": ledger.partial},
        alerts=int(ledger.alerts),
        rejects=int(ledger.rejects),
        newest_night=_midnight(ledger.night),
        newest_alert=None if ledger.jd is None else (ledger.jd - JD_UNIX_EPOCH) * DAY_SECONDS,
        newest_load=_seconds(ledger.loaded_at),
        tables=tables,
        connections=int(connections),
        most_connections=int(most),
        loads=loads,
    )


def ask_watchdog(config: Config) -> float | None:
    """Return when the watchdog looked last; None if it never has, or if its password is not here."""
    if read_password(config.secrets, Account.WATCHDOG) is None:
        return None
    try:
        with connect(config, Account.WATCHDOG, DATABASE) as connection:
            return _seconds(connection.exec_driver_sql("SELECT MAX(at) FROM looks").scalar())
    except (AlertdbError, DBAPIError):  # an archive from before there were people's accounts
        return None


def _count_loads(connection: Connection, config: Config, survey: str) -> int:
    """Count the tarballs whose rows are spooled and whose turn somebody has: what a killed load left has nobody."""
    spooled = [path.name.rpartition(".")[2] for path in config.spool.glob("*.*")] if config.spool.is_dir() else []
    held = [
        connection.execute(text("SELECT IS_USED_LOCK(:name)"), {"name": f"alertdb.{survey}.{each}"}).scalar()
        for each in spooled
    ]
    return sum(holder is not None for holder in held)


def _midnight(night: int | None) -> float | None:
    return None if night is None else datetime.strptime(str(night), "%Y%m%d").replace(tzinfo=UTC).timestamp()


def _seconds(when: datetime | None) -> float | None:
    return None if when is None else when.replace(tzinfo=UTC).timestamp()
