"""An archive with data in it, made by an older version's schema files, is upgraded by `alertdb init`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from archives import differs, load
from programs import alertdb

from alertdb import schema
from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.doctor.server import examine_server
from alertdb.errors import SchemaNewer, SchemaOlder, SummaryOlder
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

OPTIONS = ("innodb_log_file_size=16M",)
ALL = schema._sorted


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Config]:
    """Settings of an archive whose server has no tables yet."""
    config = Config(home=tmp_path / "home", server_options=OPTIONS)
    server = PrivateServer(config.home, OPTIONS)
    server.ensure_started()
    yield config
    server.ensure_stopped()


def version(monkeypatch: pytest.MonkeyPatch, files: Callable[[list[Traversable]], list[Traversable]]) -> None:
    """Become a version of the program that has these schema files."""
    monkeypatch.setattr(schema, "_sorted", lambda folder: files(ALL(folder)) if folder == "schema" else ALL(folder))


def light_curve_key(config: Config) -> set[str]:
    with connect(config, Account.READER) as connection:
        rows = connection.exec_driver_sql("SHOW KEYS FROM alerts WHERE Key_name = 'lightcurve'")
        return {row.Column_name for row in rows}


def test_from_an_older_version_to_a_newer_one(empty: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = simulate_nights([20240301, 20240302, 20240303], 50, tmp_path / "nights", seed=3)

    version(monkeypatch, lambda files: [file for file in files if file.name < "007"])
    ensure_schema(empty)
    load(empty, first)
    assert "tarball" not in light_curve_key(empty)

    monkeypatch.undo()  # today's version
    refused = alertdb(empty, "ingest", second)
    assert refused.returncode == 1
    assert "older than this alertdb: 007_light_curve_key.sql not applied. Nothing was changed" in refused.stderr
    assert "'alertdb init'" in refused.stderr
    (finding,) = (finding for finding in examine_server(empty) if finding.check == "tables")
    assert "older than this alertdb" in finding.advice
    upgraded = alertdb(empty, "init")
    assert upgraded.returncode == 0, upgraded.stderr
    assert "tarball" in light_curve_key(empty)
    load(empty, second)

    version(monkeypatch, lambda files: [file for file in files if file.name < "007"])
    with pytest.raises(SchemaNewer, match="does not know 007_light_curve_key.sql"):
        load(empty, third)

    further = tmp_path / "008_further_column.sql"
    further.write_text("ALTER TABLE alerts ADD COLUMN further INT COMMENT 'Of a later version. NULL: not known.';\n")
    version(monkeypatch, lambda files: [*files, further])
    with pytest.raises(SchemaOlder, match="008_further_column.sql not applied"):
        load(empty, third)
    ensure_schema(empty)
    load(empty, third)
    with connect(empty, Account.READER) as connection:
        found = connection.exec_driver_sql("SELECT COUNT(*), COUNT(further) FROM alerts").one()
    assert tuple(found) == (150, 0)
    assert not differs(empty, first, second, third)
    monkeypatch.undo()
    with pytest.raises(SchemaNewer):
        load(empty, third)


def test_an_upgrade_that_was_killed_goes_on(empty: Config, tmp_path: Path) -> None:
    ensure_schema(empty)
    with connect(empty, Account.ADMIN) as connection:  # killed between a file's last statement and its record
        connection.exec_driver_sql("DELETE FROM schema_changes WHERE name >= '004'")
        connection.exec_driver_sql("DROP TABLE rejects, table_checksums")  # and in the middle of 005
        connection.commit()
    ensure_schema(empty)
    load(empty, *simulate_nights([20240301], 20, tmp_path / "nights", seed=3))
    with connect(empty, Account.READER) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM schema_changes").scalar() == len(ALL("schema"))


def test_a_further_column_of_the_summary(archive: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights = simulate_nights([20240301], 20, tmp_path / "nights", seed=3)
    columns = schema.summary_columns()
    further = schema.SummaryColumn("MAX(a.rb)", "rb_further", "FLOAT COMMENT 'Of a later version.'")
    monkeypatch.setattr(schema, "summary_columns", lambda: [*columns, further])
    with pytest.raises(SummaryOlder, match=r"ztf.summary has no column rb_further.*'alertdb summary rebuild'"):
        load(archive, *nights)
