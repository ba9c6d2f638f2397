"""What an archive says of itself, from its ledger and the server's own estimates: quick, however large it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from alertdb.dictionary import ORDER

if TYPE_CHECKING:
    from alertdb.query import Reader
    from alertdb.sessions import Limits

__all__ = ["describe"]

JD_UNIX_EPOCH = 2440587.5  # Julian date of 1970-01-01 00:00 UTC
SPAN = """
    SELECT COUNT(*) AS tarballs, SUM(alerts) AS alerts, MIN(jd_first) AS jd_first, MAX(jd_last) AS jd_last,
    MAX(night) AS newest, VERSION() AS version FROM tarballs"""
ROWS = """
    SELECT table_name AS name, table_rows AS estimate FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"""
DATABASES = "SELECT table_schema AS name FROM information_schema.tables WHERE table_name = 'alerts' ORDER BY 1"
COUNTED = ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "summary")


def describe(reader: Reader) -> str:
    """Return some lines: span and counts by the ledger, the newest night, rows as the server estimates them, limits."""
    facts = reader.query(SPAN).to_pylist()[0]
    estimates = {row["name"]: row["estimate"] for row in reader.query(ROWS).to_pylist() if row["name"] in COUNTED}
    databases = [str(name) for name in reader.query(DATABASES)["name"].to_pylist()]
    where = reader.config.database_url or str(reader.config.home)
    rows = [f"{name} {estimates[name]:,}" for name in ORDER if name in estimates]
    lines = [
        f"<Archive {reader.database} in {_shown(where)}: {_span(facts)}",
        *([f"  newest night: {_night(facts['newest'])}"] if facts["newest"] else []),
        *([f"  rows, about: {', '.join(rows)}"] if rows else []),
        f"  databases: {', '.join(databases)}",
        f"  server: MariaDB {facts['version'].split('-')[0]}; limits: {_limits(reader.limits())}>",
    ]
    return "\n".join(lines)


def _shown(where: str) -> str:
    """Return a URL without its password, or a path as it is."""
    try:
        return unquote(make_url(where).render_as_string(hide_password=True))  # a socket's path as it is
    except ArgumentError:
        return where


def _span(facts: dict[str, Any]) -> str:
    if not facts["tarballs"]:
        return "no alerts yet"
    counted = f"{facts['tarballs']:,} tarballs"
    if facts["alerts"] is None:  # the public ledger does not tell of mixed nights
        return counted
    days = [_day(facts[name]) for name in ("jd_first", "jd_last")]
    return f"{facts['alerts']:,} alerts of {counted}, {days[0]} to {days[1]} (UTC)"


def _day(jd: float | None) -> str:
    if jd is None:
        return "?"
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - JD_UNIX_EPOCH):%Y-%m-%d}"


def _night(number: int) -> str:
    text = str(number)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _limits(limits: Limits) -> str:
    seconds = "none on time" if limits.seconds is None else f"{limits.seconds:g} s a statement"
    rows = "none on rows" if limits.rows is None else f"{limits.rows:,} rows a result"
    return f"{seconds}, {rows}"
