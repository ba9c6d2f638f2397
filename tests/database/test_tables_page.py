from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.dictionary import read_tables, render

if TYPE_CHECKING:
    from alertdb.config import Config

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"


def test_the_page_of_tables_is_up_to_date(server_config: Config) -> None:
    with connect(server_config, Account.READER) as connection:
        page = render(read_tables(connection, "ztf"), "ztf")
    assert PAGE.read_text() == page, "run: python -m alertdb.dictionary > docs/tables.md"


def test_public_names_and_columns_are_the_same(server_config: Config) -> None:
    query = (
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = '{}' AND table_name NOT IN ('schema_changes', 'table_checksums') "
        "AND extra <> 'INVISIBLE' ORDER BY table_name, ordinal_position"
    )
    with connect(server_config, Account.READER) as connection:
        whole, public = (connection.exec_driver_sql(query.format(name)).all() for name in ("ztf", "ztf_public"))
    assert whole == public
    assert len(whole) > 250
