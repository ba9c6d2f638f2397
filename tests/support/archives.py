"""What tests do to whole archives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plain import KEYS, stored_table

from alertdb.database import Account, connect
from alertdb.schema import public_database
from ingest.checking import report_verify
from ingest.pipeline import Outcome, load_tarball
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

CHANGING = ("loaded_at", "seconds", "modified")  # columns of the ledger that no two loads share

KEPT = {"schema_changes"}


def empty_tables(config: Config, survey: str = "ztf") -> None:
    """Delete all rows of all tables of a survey."""
    with connect(config, Account.ADMIN, survey) as connection:
        for database in (survey, public_database(survey)):
            listing = connection.exec_driver_sql(f"SHOW FULL TABLES IN {database} WHERE Table_type = 'BASE TABLE'")
            for table in [row[0] for row in listing if row[0] not in KEPT]:
                connection.exec_driver_sql(f"DELETE FROM {database}.{table}")
        connection.commit()


def load(config: Config, *paths: Path, **options: Any) -> list[Outcome]:
    """Load what lies at these paths, one source after the other."""
    return [load_tarball(source, config, Ztf(), **options) for source in find_sources(paths)]


def differs(config: Config, *tarballs: Path) -> bool:
    """Whether `alertdb verify` finds a difference."""
    return bool(report_verify(tarballs, config, 20))


def everything(config: Config) -> dict[str, Any]:
    """Return all rows of all tables; of the ledger without what no two loads share."""
    tables: dict[str, Any] = {table: stored_table(config, table, key) for table, key in KEYS.items()}
    tables["public"] = {table: stored_table(config, table, key, "ztf_public") for table, key in KEYS.items()}
    ledger = stored_table(config, "tarballs", ("name",))
    tables["tarballs"] = {name: {k: v for k, v in row.items() if k not in CHANGING} for name, row in ledger.items()}
    tables["table_checksums"] = stored_table(config, "table_checksums", ("name",))
    tables["rejects"] = stored_table(config, "rejects", ("tarball", "position"))
    return tables


def stamps(config: Config) -> dict[str, bytes]:
    """Return the sealed files of thumbnails in an archive's home, by rights class and name."""
    folder = config.home / "thumbnails"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.zip"))}
