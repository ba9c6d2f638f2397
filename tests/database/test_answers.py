"""The forms in which a result comes, its batches, and what is known of its columns."""

from __future__ import annotations

import io
import threading
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from loaded import load_tarballs
from plain import stored_table

from alertdb import progress
from alertdb.archive import Archive
from alertdb.database import Account, connect
from alertdb.errors import QueryRefused, UnknownColumn
from alertdb.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.config import Config

MANY = "SELECT seq AS n, CAST(seq AS CHAR) AS s, IF(seq % 3, seq / 7e0, NULL) AS x FROM seq_1_to_200000"
TYPES = """
    SELECT CAST(1 AS SIGNED) AS b, objectId, magpsf, jd, objectidps1, nid, NULL AS nothing, SUM(fid) OVER () AS s,
    1.5 AS d, CAST('2021-07-01 02:03:04.5' AS DATETIME(6)) AS t, CAST('1969-12-31' AS DATE) AS day,
    CAST('25:00:01.25' AS TIME(2)) AS span, X'00ff' AS raw, isdiffpos, CAST(NULL AS SIGNED) AS allnull
    FROM alerts WHERE {condition} ORDER BY candid"""


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.fixture
def archive(config: Config) -> Iterator[Archive]:
    with Archive(config) as archive:
        yield archive


def test_every_cell_of_every_table_by_both_ways(
    archive: Archive, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket read by the kernel gives what the driver gives: this way is for lines that are encrypted."""
    tables = ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "summary", "tarballs", "lightcurve")
    ours = {table: archive.query(f"SELECT * FROM {table}").arrow() for table in tables}
    monkeypatch.setattr("alertdb.sessions.can_link", lambda _: False)
    with Archive(config) as other:
        for table in tables:
            theirs = other.query(f"SELECT * FROM {table}").arrow()
            assert theirs.schema.equals(ours[table].schema, check_metadata=True)
            assert theirs.equals(ours[table]), table
        curve = other.lightcurve_table("ZTF21abiuvdk")
        with pytest.raises(UnknownColumn, match="magpsf"):
            other.sql("SELECT magspf FROM alerts")
    assert curve.equals(archive.lightcurve_table("ZTF21abiuvdk"))
    plain = stored_table(config, "alerts", ("candid",))
    assert {row["candid"]: row for row in ours["alerts"].to_pylist()} == plain


@pytest.mark.parametrize("condition", ["TRUE", "FALSE"])
def test_declared_types_whatever_the_values(
    archive: Archive, config: Config, monkeypatch: pytest.MonkeyPatch, condition: str
) -> None:
    table = archive.query(TYPES.format(condition=condition)).arrow()
    expected = {
        "b": pa.int32(), "objectId": pa.string(), "magpsf": pa.float32(), "jd": pa.float64(), "objectidps1": pa.int64(),
        "nid": pa.int32(), "nothing": pa.null(), "s": pa.int64(), "d": pa.float64(), "t": pa.timestamp("us"),
        "day": pa.date32(), "span": pa.duration("us"), "raw": pa.binary(), "isdiffpos": pa.string(),
        "allnull": pa.int32(),
    }  # fmt: skip
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == expected
    monkeypatch.setattr("alertdb.sessions.can_link", lambda _: False)
    with Archive(config) as other:
        assert other.query(TYPES.format(condition=condition)).arrow().equals(table)
    if condition == "TRUE":
        row = table.to_pylist()[0]
        assert (row["t"], row["day"]) == (datetime(2021, 7, 1, 2, 3, 4, 500000), date(1969, 12, 31))
        assert (row["span"], row["raw"]) == (timedelta(hours=25, seconds=1, microseconds=250_000), b"\x00\xff")


def test_times_that_the_driver_itself_stumbles_over(archive: Archive) -> None:
    days = [
        date(1, 1, 1),
        date(1900, 2, 28),
        date(1969, 12, 31),
        date(2000, 2, 29),
        date(2100, 3, 1),
        date(9999, 12, 31),
    ]
    for day in days:
        found = archive.query(f"SELECT CAST('{day}' AS DATE) AS d, CAST('{day} 23:59:59.000001' AS DATETIME(6)) AS t")
        assert found.arrow().to_pylist() == [{"d": day, "t": datetime(day.year, day.month, day.day, 23, 59, 59, 1)}]
    none, back, midnight = (
        archive.query(
            "SELECT CAST('0000-00-00' AS DATE) AS a, CAST('-25:00:01.25' AS TIME(2)) AS b, CAST('0:0' AS TIME) AS c"
        )
        .arrow()
        .to_pylist()[0]
        .values()
    )
    assert (none, back, midnight) == (None, -timedelta(hours=25, seconds=1, milliseconds=250), timedelta(0))


def test_forms_of_a_result(archive: Archive) -> None:
    question = archive.query(
        "SELECT candid, ssdistnr, objectidps1, ssnamenr, magpsf AS m, ra + 1 AS later, loaded_at, "
        "SUM(candid) OVER () AS s FROM alerts JOIN tarballs AS t ON t.id = tarball WHERE rb > :rb ORDER BY candid",
        rb=0.5,
    )
    arrow = question.arrow()
    assert archive.sql(question.statement, rb=0.5).equals(question.pandas())
    frame = question.polars()
    assert isinstance(frame, pl.DataFrame)
    assert frame["candid"].to_list() == arrow["candid"].to_pylist()
    table = question.table()
    assert [table[name].unit for name in ("ssdistnr", "m", "later", "candid")] == [u.arcsec, u.mag, None, None]
    assert table["m"].description.startswith("Magnitude of the difference by PSF fit")
    for name in table.colnames:
        values = [None if np.ma.is_masked(value) else value for value in table[name]]
        shown = arrow[name].to_numpy() if name == "loaded_at" else arrow[name].to_pylist()
        assert values == list(shown), name
    assert table["candid"].dtype == np.int64
    assert ".batches()" in repr(question)


@pytest.mark.parametrize("database", ["ztf", "ztf_public"])
def test_units_are_those_of_the_table_shown(config: Config, database: str) -> None:
    """A column distnr is in pixels in one table and in arcsec in another."""
    with Archive(config, database) as archive:
        asked = {
            "SELECT distnr FROM alerts LIMIT 1": u.pix,
            "SELECT distnr AS x FROM alerts_forced LIMIT 1": u.arcsec,
            "SELECT flux FROM lightcurve WHERE objectId = 'ZTF21abiuvdk' LIMIT 1": u.DN,
            "SELECT ra_std FROM summary LIMIT 1": u.arcsec,
            "SELECT a.magpsf FROM alerts AS a LIMIT 1": u.mag,
            "SELECT MAX(magpsf) FROM alerts": None,
        }
        assert {statement: archive.query(statement).table().columns[0].unit for statement in asked} == asked


def test_batches_are_the_result_in_parts(archive: Archive) -> None:
    question = archive.query(MANY)
    frames = list(question.batches())
    assert len(frames) > 3
    assert pd.concat(frames, ignore_index=True).equals(question.pandas())
    assert question.pandas()["n"].tolist() == list(range(1, 200_001))
    (empty,) = archive.query("SELECT candid, magpsf FROM alerts WHERE FALSE").batches()
    assert empty.dtypes.astype(str).tolist() == ["int64", "float32"]
    assert [frame.shape for frame in archive.query("SELECT candid FROM alerts LIMIT 3").batches()] == [(3, 1)]


def test_questions_between_batches_and_batches_let_go_of(archive: Archive, config: Config) -> None:
    batches = archive.query("SELECT a.seq FROM seq_1_to_300000 AS a JOIN seq_1_to_100 AS b").batches()
    assert len(next(batches)) > 1000
    assert archive.sql("SELECT 1 AS one")["one"].tolist() == [1]
    assert len(next(batches)) > 1000
    batches.close()  # type: ignore[attr-defined]
    with connect(config, Account.ADMIN) as connection:
        running = connection.exec_driver_sql("SELECT info FROM information_schema.processlist").scalars().all()
    assert not [info for info in running if info and "seq_1_to_300000" in info and "processlist" not in info]


def test_an_error_between_two_rows_is_raised(archive: Archive) -> None:
    statement = "SET STATEMENT max_statement_time = 0.4 FOR SELECT seq, SQRT(seq) FROM seq_1_to_500000000"
    rows: list[int] = []
    with pytest.raises(QueryRefused, match="stopped after"):
        rows.extend(len(frame) for frame in archive.query(statement).batches())
    assert 0 < sum(rows) < 500_000_000


def test_wide_rows_and_long_texts(archive: Archive) -> None:
    many = ", ".join(f"{number} AS c{number}" for number in range(600))
    assert list(archive.query(f"SELECT {many}").arrow().to_pylist()[0].values()) == list(range(600))
    sizes = [0, 1, 250, 251, 65535, 65536, 3_000_000]
    union = " UNION ALL ".join(f"SELECT {size} AS n, REPEAT('é', {size}) AS s" for size in sizes)
    assert archive.query(union).arrow().to_pylist() == [{"n": size, "s": "é" * size} for size in sizes]
    with pytest.raises(QueryRefused, match="more than 16 MB"):
        archive.sql("SELECT REPEAT('x', 10000000) AS a, REPEAT('y', 10000000) AS b")
    assert archive.sql("SELECT 1 AS one")["one"].tolist() == [1]


def test_a_statement_that_is_too_long(archive: Archive) -> None:
    many = np.arange(1_600_000) + 10**9
    with pytest.raises(QueryRefused, match=r"it has 18\.\d MB, and the server takes less than 16\.0 MB.*in parts"):
        archive.sql("SELECT COUNT(*) AS n FROM alerts WHERE candid IN :many", many=many)
    with pytest.raises(QueryRefused, match=r"more than the 256 MB of memory .* in parts"):
        archive.sql("SELECT COUNT(*) AS n FROM alerts WHERE candid IN :many", many=many[:1_000_000])
    found = archive.sql("SELECT COUNT(*) AS n FROM alerts WHERE candid IN :many", many=many[:300_000])
    assert found["n"].tolist() == [0]


def test_statements_that_change_and_hide_it(archive: Archive) -> None:
    for statement in (
        "SET STATEMENT max_statement_time = 1 FOR DELETE FROM alerts",
        "SET STATEMENT tx_read_only = 0 FOR SELECT 1",
        "SET STATEMENT sql_mode = 'FOR SELECT' FOR DELETE FROM alerts",
        "WITH x AS (SELECT 1) DELETE FROM alerts",
        "SELECT 1 INTO OUTFILE '/tmp/alertdb-must-not-exist'",
    ):
        with pytest.raises(Exception, match="Only reading|not understood"):
            archive.sql(statement)


def test_connections_are_kept_and_shared_between_threads(config: Config) -> None:
    with Archive(config) as archive:
        numbers = {archive.sql("SELECT CONNECTION_ID() AS n")["n"].iloc[0] for _ in range(5)}
        assert len(numbers) == 1
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(archive.lightcurve("ZTF21abiuvdk"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 6
        assert all(curve.equals(found[0]) for curve in found)


def test_a_lost_connection_is_replaced(config: Config) -> None:
    with Archive(config) as archive:
        number = archive.sql("SELECT CONNECTION_ID() AS n")["n"].iloc[0]
        with connect(config, Account.ADMIN) as connection:
            connection.exec_driver_sql(f"KILL {number}")
        for _ in range(100):
            if archive.sql("SELECT CONNECTION_ID() AS n")["n"].iloc[0] != number:
                break
        assert archive.lightcurve("ZTF21abiuvdk")["jd"].notna().all()


def test_prepared_statements_are_forgotten_in_time(config: Config) -> None:
    sessions = Sessions(config, "ztf")
    with sessions.session() as session:
        for number in range(50):
            _, batches = session.run_prepared(f"SELECT {number} AS n WHERE 'x' = ?", ("x",))
            assert [batch[0].to_pylist() for batch in batches] == [[number]]
        columns, batches = session.run("SHOW SESSION STATUS LIKE 'Com_stmt_close'")
        rows = [batch for batch in batches if columns]
    assert int(rows[0][1].to_pylist()[0]) >= 18
    sessions.close()


def test_rows_are_counted_while_they_come(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr", shown)
    archive.sql(MANY)
    assert shown.getvalue() == ""  # nobody watches a file
    monkeypatch.setenv("FORCE_COLOR", "1")
    archive.sql(MANY)
    assert "200,000 rows" in shown.getvalue()
