"""What is in an archive, in numbers."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from alertdb.database import Account, connect, named_database
from alertdb.errors import AlertdbError
from alertdb.schema import public_database
from alertdb.thumbnails import open_store
from alertdb.version import installed_version

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = ["Status", "TableSize", "describe"]

JD_UNIX_EPOCH = 2440587.5  # Julian date of 1970-01-01 00:00 UTC
COUNTED_BYTES = 2 * 10**9


@dataclass(frozen=True)
class TableSize:
    """Rows of a table (estimated by the server unless `exact`) and its bytes on disk, indexes included."""

    name: str
    rows: int
    bytes: int
    exact: bool


@dataclass(frozen=True)
class Status:
    """What `alertdb status` shows; nights as YYYYMMDD, times as UTC text, sizes in bytes."""

    version: str
    server: str
    tarballs: int
    partial: int
    rejects: int
    first_night: int | None
    last_night: int | None
    first_alert: str | None
    last_alert: str | None
    tables: tuple[TableSize, ...]
    thumbnails_bytes: int | None
    disk_used: int
    disk_free: int


def describe(config: Config, *, exact: bool = False) -> Status:
    """Describe what one may read of an archive. The rows of large tables are the server's estimate unless `exact`."""
    survey = named_database(config)
    with connect(config, Account.READER, survey) as connection:
        ledger = connection.exec_driver_sql(
            "SELECT COUNT(*) AS tarballs, COUNT(IF(state = 'partial', 1, NULL)) AS partial_ones, "
            "COALESCE(SUM(rejects), 0) AS rejects, MIN(night) AS first_night, MAX(night) AS last_night, "
            "MIN(jd_first) AS first_jd, MAX(jd_last) AS last_jd FROM tarballs"
        ).one()
        tables = tuple(_table_sizes(connection, config, survey, exact=exact))
        server = f"MariaDB {connection.exec_driver_sql('SELECT VERSION()').scalar()}"
    return Status(
        version=installed_version(),
        server=server,
        tarballs=ledger.tarballs,
        partial=ledger.partial_ones,
        rejects=int(ledger.rejects),
        first_night=ledger.first_night,
        last_night=ledger.last_night,
        first_alert=_utc(ledger.first_jd),
        last_alert=_utc(ledger.last_jd),
        tables=tables,
        thumbnails_bytes=_thumbnails_bytes(config),
        disk_used=_disk_used(config.home),
        disk_free=shutil.disk_usage(config.home).free if config.home.exists() else 0,
    )


def _table_sizes(connection: Connection, config: Config, survey: str, *, exact: bool) -> list[TableSize]:
    names = ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "summary")
    sizes = []
    for database in (survey, public_database(survey)):
        rows = connection.exec_driver_sql(
            "SELECT table_name, table_rows, data_length + index_length FROM information_schema.tables "
            f"WHERE table_schema = '{database}' AND table_type = 'BASE TABLE'"
        )
        found = {name: (rows or 0, size or 0) for name, rows, size in rows}
        for name in (name for name in names if name in found):
            estimate, size = found[name]
            # The server's own word on sizes lags behind a load; the private server's files are at hand.
            file = config.home / "mariadb" / "data" / database / f"{name}.ibd"
            if config.database_url is None and file.exists():
                size = file.stat().st_blocks * 512
            # Small tables are counted: the server's estimate of them is far off, and counting is quick.
            counted = exact or size < COUNTED_BYTES
            if counted:
                estimate = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {database}.{name}").scalar_one()
            label = name if database == survey else f"{database}.{name}"
            sizes.append(TableSize(label, int(estimate), int(size), counted))
    return sizes


def _utc(jd: float | None) -> str | None:
    if jd is None:
        return None
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - JD_UNIX_EPOCH):%Y-%m-%d %H:%M}"


def _thumbnails_bytes(config: Config) -> int | None:
    """Return what thumbnails take: on this disk, or in a cluster without its copies; None if that does not answer."""
    url = urlsplit(config.thumbnails)
    if url.scheme == "file":
        return _disk_used(Path(unquote(url.path)))
    try:
        store = open_store(config.thumbnails, secrets=config.secrets)
        return sum(tarball.size_bytes for tarball in store.tarballs())
    except AlertdbError:
        return None


def _disk_used(folder: Path) -> int:
    """Return the bytes that a folder takes on disk; what this user may not look into does not count."""
    total = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512  # noqa: PTH118 (10^5 files: twice as fast)
            except OSError:
                continue
    return total
