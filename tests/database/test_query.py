"""Reading SQL: exact values, declared types, what is refused, and how mistakes are told."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import mariadb
import pyarrow as pa
import pytest
from loaded import load_tarballs
from plain import expected_tables

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.errors import (
    ArchiveMissing,
    NotReading,
    QueryRefused,
    ServerStopped,
    SyntaxMistake,
    UnknownColumn,
    UnknownTable,
)
from alertdb.query import Reader
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.fixture
def reader(config: Config) -> Iterator[Reader]:
    reader = Reader(config)
    yield reader
    reader.close()


def single(reader: Reader, statement: str, **parameters: Any) -> Any:
    return reader.query(statement, parameters).column(0).to_pylist()[0]


def test_every_alert_comes_exactly(reader: Reader, real_tarballs: list[Path]) -> None:
    expected = expected_tables(real_tarballs)["alerts"]
    rows = reader.query("SELECT * FROM alerts ORDER BY candid").to_pylist()
    assert [row["candid"] for row in rows] == sorted(expected)
    names = set(rows[0]) - {"hpx29", "tarball"}
    for row in rows:
        packet = expected[row["candid"]]
        assert {name: row[name] for name in names} == {name: packet.get(name) for name in names}


def test_types_of_a_table(reader: Reader) -> None:
    for statement in ("SELECT * FROM alerts", "SELECT * FROM alerts WHERE FALSE"):
        schema = reader.query(statement).schema
        assert {
            name: schema.field(name).type for name in ("objectId", "candid", "fid", "jd", "magpsf", "isdiffpos")
        } == {
            "objectId": pa.string(),
            "candid": pa.int64(),
            "fid": pa.int32(),
            "jd": pa.float64(),
            "magpsf": pa.float32(),
            "isdiffpos": pa.string(),
        }
    ledger = reader.query("SELECT alerts, alerts_checksum, state, loaded_at, seconds FROM tarballs").schema
    assert ledger.types == [pa.int32(), pa.uint64(), pa.string(), pa.timestamp("us"), pa.float64()]


def test_sums_of_ids_are_exact_integers(reader: Reader, real_tarballs: list[Path]) -> None:
    candids = expected_tables(real_tarballs)["alerts"].keys()
    table = reader.query("SELECT COUNT(*) n, SUM(candid) s, SUM(fid) f, AVG(fid) a FROM alerts")
    assert table["s"].to_pylist() == [sum(candids)]
    assert sum(candids) > 2**63
    assert table.schema.types == [pa.int64(), pa.decimal128(38), pa.int64(), pa.float64()]
    few = sorted(candids)[:2]
    assert reader.query("SELECT SUM(candid) FROM alerts WHERE candid IN :few", {"few": few}).column(0).to_pylist() == [
        sum(few)
    ]


def test_parameters_are_values_and_nothing_else(reader: Reader) -> None:
    for value in ("O'Neill", "\\' OR 1=1 -- ", "%s", ":x", "é☄", "a\x00b", "", 2**62, -1, 0.1, 1e-300, None):
        assert single(reader, "SELECT :x", x=value) == value
    moment = datetime(2021, 7, 1, 2, 3, 4, 500000)
    assert single(reader, "SELECT CAST(:x AS DATETIME(6))", x=moment) == moment
    assert single(reader, "SELECT COUNT(*) FROM alerts WHERE objectId = :name", name="' OR '1'='1") == 0
    total = single(reader, "SELECT COUNT(*) FROM alerts")
    assert single(reader, "SELECT COUNT(*) FROM alerts WHERE candid IN :none", none=[]) == 0
    assert single(reader, "SELECT COUNT(*) FROM alerts WHERE candid NOT IN :none", none=[]) == total
    many = list(range(100_000))
    assert single(reader, "SELECT COUNT(*) FROM alerts WHERE candid IN :many", many=many) == 0


def test_a_light_curve_reads_its_own_rows_only(reader: Reader) -> None:
    """A parameter must reach the keys under the view: as a place of a prepared statement it would not."""
    plan = reader.query("EXPLAIN SELECT * FROM lightcurve WHERE objectId = :name", {"name": "ZTF21abiuvdk"}).to_pylist()
    scanned = [row["table"] for row in plan if row["type"] in ("ALL", "index") and not row["table"].startswith("<")]
    assert scanned == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM alerts",
        "INSERT INTO alerts (objectId) VALUES ('x')",
        "UPDATE alerts SET fid = 1",
        "DROP TABLE alerts",
        "CREATE TABLE x (a INT)",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE alerts",
        "SET GLOBAL read_only = 1",
        "USE ztf_public",
        "LOCK TABLES alerts WRITE",
        "SELECT 1 INTO OUTFILE '/tmp/alertdb-must-not-exist'",
        "/* SELECT */ TRUNCATE alerts",
        "ANALYZE TABLE alerts",
    ],
)
def test_what_would_change_something_is_refused(reader: Reader, statement: str) -> None:
    with pytest.raises(NotReading, match="Only reading statements"):
        reader.query(statement)
    assert single(reader, "SELECT COUNT(*) FROM alerts") == 139


def test_an_account_that_may_write_does_not(config: Config, tmp_path: Path) -> None:
    """With a database URL of one's own the account may have all rights; the transaction is read-only still."""
    password = (config.secrets / "loader").read_text().strip()
    socket = PrivateServer(config.home).socket
    url = f"mariadb://alertdb_loader:{password}@/?unix_socket={socket}"
    reader = Reader(Config(home=tmp_path, database_url=url))
    assert single(reader, "SELECT CURRENT_USER()") == "alertdb_loader@%"
    with pytest.raises(mariadb.Error, match="READ ONLY"), reader._sessions.session() as session:
        session.run("DELETE FROM alerts")
    reader.close()


@pytest.mark.parametrize(
    ("statement", "kind", "told"),
    [
        ("SELECT magspf FROM alerts", UnknownColumn, "'magspf'.*Nearest: magpsf"),
        ("SELECT a.MAGSPF FROM alerts a", UnknownColumn, "'a.MAGSPF'.*Nearest: magpsf"),
        ("SELECT nobs, magpsf FROM summary", UnknownColumn, r"'magpsf'.*alerts\.magpsf"),
        ("SELECT x.magpsf FROM alerts a", UnknownColumn, r"'x.magpsf'.*alerts\.magpsf"),
        ("SELECT zzzzzzzz FROM alerts", UnknownColumn, "DESCRIBE alerts"),
        ("SELECT * FROM Alerts", UnknownTable, "'Alerts'.*Nearest: alerts"),
        ("SELECT * FROM limmag", UnknownTable, "Nearest: .*alerts_limmag"),
        ("SELECT * FROM nix.alerts", UnknownTable, "Nearest: alerts"),
        ("SELECT * FROM mysql.user", UnknownTable, "'user'"),
        (
            "SELECT ra,\n  dec\nFROM alerts",
            SyntaxMistake,
            r"line 2, column 3\). 'dec' is a word of SQL.*`dec`.*alerts\.dec",
        ),
        ("SELECT MAX(ra) AS range FROM alerts", SyntaxMistake, "'range' is a word of SQL: write it `range`.*alone[.]$"),
        ("SELECT candid jd magpsf FROM alerts", SyntaxMistake, "The mistake is there or just before"),
        ("SELECT ra FROM alerts WHERE ORDER BY ra", SyntaxMistake, "The mistake is there or just before"),
        ("SELECT * FROM nope", UnknownTable, "'nope'. Tables: .*alerts, "),
        ("SELECT ra FROM alerts WHERE objectId = ZTF21abiuvdk", UnknownColumn, "single quotes: 'ZTF21abiuvdk'"),
        ("SELECT ra FROM alerts WHERE objectId IN ('x', ZTF21abiuvdk)", UnknownColumn, "single quotes"),
        ("SELECT COUNT (*) FROM alerts", SyntaxMistake, r"no space: COUNT\(\*\)"),
        ("SELECT * FROM alerts WHERE", SyntaxMistake, "at its end"),
        ("SELECT 1; SELECT 2", SyntaxMistake, "One statement at a time"),
        ("SELECT :name", SyntaxMistake, "':name' needs a value"),
        ("SELEC 1", SyntaxMistake, "'SELEC'. Nearest: SELECT"),
        ("SELECT maxx(1)", QueryRefused, "no function 'maxx'"),
        ("SELECT ?", QueryRefused, "write them as ':name'"),
        ("", QueryRefused, "empty"),
        ("SELECT candid FROM alerts JOIN alerts_prv", QueryRefused, "ambiguous"),
    ],
)
def test_mistakes_are_told_so_that_they_can_be_mended(
    reader: Reader, statement: str, kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told) as caught:
        reader.query(statement)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "statement", ["SHOW TABLES", "DESCRIBE alerts", "EXPLAIN SELECT 1", "SHOW VARIABLES", "HELP 'x'"]
)
def test_statements_about_the_database_work_too(reader: Reader, statement: str) -> None:
    assert reader.query(statement).num_columns > 0


def test_a_query_cut_short_is_an_error_and_not_a_short_result(reader: Reader) -> None:
    """Rows were already on their way when the time was over."""
    statement = "SET STATEMENT max_statement_time = 0.2 FOR SELECT SQRT(seq) FROM seq_1_to_100000000"
    with pytest.raises(QueryRefused, match="max_statement_time"):
        reader.query(statement)


def test_interrupt_ends_the_query_on_the_server_too(config: Config, reader: Reader) -> None:
    statement = "SELECT 'held', SLEEP(30)"
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        reader.query(statement)
    assert time.monotonic() - began < 20
    with connect(config, Account.ADMIN) as connection:
        running = connection.exec_driver_sql("SELECT info FROM information_schema.processlist").scalars().all()
    assert statement not in running


def test_questions_from_several_threads(config: Config) -> None:
    reader = Reader(config)
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.extend(single(reader, "SELECT :n", n=number) for _ in range(20))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(list(range(6)) * 20)
    reader.close()


def test_a_restarted_server_is_found_again_and_a_stopped_one_told(tmp_path: Path) -> None:
    config = Config(home=tmp_path)
    with pytest.raises(ArchiveMissing):
        Reader(config).query("SELECT 1")
    server = PrivateServer(tmp_path)
    server.ensure_started()
    ensure_schema(config)
    reader = Reader(config)
    assert single(reader, "SELECT 1") == 1
    server.ensure_stopped()
    with pytest.raises(ServerStopped, match="alertdb start"):
        reader.query("SELECT 1")
    server.ensure_started()
    assert single(reader, "SELECT 1") == 1
    server.ensure_stopped()
    server.ensure_started()
    assert single(reader, "SELECT 1") == 1
    reader.close()
    server.ensure_stopped()
