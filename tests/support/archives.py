"""What tests do to whole archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.schema import public_database

if TYPE_CHECKING:
    from alertdb.config import Config

KEPT = {"schema_changes"}


def empty_tables(config: Config, survey: str = "ztf") -> None:
    """Delete all rows of all tables of a survey."""
    with connect(config, Account.ADMIN, survey) as connection:
        for database in (survey, public_database(survey)):
            listing = connection.exec_driver_sql(f"SHOW FULL TABLES IN {database} WHERE Table_type = 'BASE TABLE'")
            for table in [row[0] for row in listing if row[0] not in KEPT]:
                connection.exec_driver_sql(f"DELETE FROM {database}.{table}")
        connection.commit()
