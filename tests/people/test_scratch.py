"""A database of one's own: what is uploaded, how it is joined, and what happens when it is too large."""

from __future__ import annotations

import datetime
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from archives import load
from astropy.table import Table

from alertdb.archive import Archive
from alertdb.database import Account, connect
from alertdb.people.accounts import list_people, open_account
from alertdb.people.errors import (
    ColumnUnusable,
    LimitReached,
    NoScratch,
    ScratchFull,
    ScratchNameUnusable,
    ScratchTableExists,
)
from alertdb.people.leaving import set_scratch_limit
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from someone import Someone

    from alertdb.config import Config
    from alertdb.people.watchdog import Watchdog

BIG = 2**62 + 1  # no double has it
FRAME = pd.DataFrame(
    {
        "objectId": ["ZTF18aaaaaaa", "ZTF18aaaaaab", None],
        "candid": [BIG, BIG + 1, BIG + 2],
        "small": np.array([1, -2, 3], np.int16),
        "mag": np.array([18.1, np.nan, 19.3], np.float32),
        "ra": [0.1, 359.9999999999, np.nan],
        "good": [True, False, True],
        "at": [pd.Timestamp("2024-01-10T12:00:00.123456"), pd.NaT, pd.Timestamp("2024-01-11")],
        "note": ["quote ' \" \\ \n\t", "Größe ✓", ""],
    }
)


@pytest.fixture(scope="module")
def ada(enter: Callable[..., Someone]) -> Someone:
    return enter(41)


@pytest.fixture
def db(ada: Someone) -> Archive:
    return ada.archive()


def test_what_goes_in_comes_out(db: Archive, ada: Someone) -> None:
    assert db.upload("frame", FRAME) == 3
    with ada.connect(database=ada.scratch) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM frame ORDER BY candid")
        rows = cursor.fetchall()
        cursor.execute("SELECT column_name, column_type FROM information_schema.columns WHERE table_name = 'frame'")
        types = dict(cursor.fetchall())
    first, second, third = rows
    assert first[:3] == ("ZTF18aaaaaaa", BIG, 1)
    assert (first[5], first[6], first[7]) == (1, datetime.datetime(2024, 1, 10, 12, 0, 0, 123456), "quote ' \" \\ \n\t")
    assert (second[3], second[4], second[6], second[7]) == (None, 359.9999999999, None, "Größe ✓")
    assert (third[0], third[4], third[7]) == (None, None, "")
    assert types == {
        "objectId": "varchar(12)", "candid": "bigint(20)", "small": "int(11)", "mag": "float", "ra": "double",
        "good": "tinyint(1)", "at": "datetime(6)", "note": "varchar(14)",
    }  # fmt: skip
    assert db.sql(f"SELECT mag FROM {ada.scratch}.frame")["mag"].tolist()[0] == np.float32(18.1)


@pytest.mark.parametrize(
    "frame",
    [
        {"a": [1, 2], "b": ["x", "y"]},
        pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pa.table({"a": [1, 2], "b": ["x", "y"]}),
        Table({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"b": ["x", "y"]}, index=pd.Index([1, 2], name="a")),
        pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", "y"])}),
    ],
    ids=["dict", "polars", "arrow", "astropy", "index", "categories"],
)
def test_tables_of_all_kinds(db: Archive, ada: Someone, frame: Any) -> None:
    assert db.upload("kinds", frame, replace=True) == 2
    assert db.sql(f"SELECT a, b FROM {ada.scratch}.kinds ORDER BY a").to_numpy().tolist() == [[1, "x"], [2, "y"]]


def test_many_rows_arrive(db: Archive, ada: Someone) -> None:
    """More than go in one message to the server, with NULLs in places and numbers of all sizes."""
    n = 50_000
    frame = pd.DataFrame({"n": np.arange(n), "x": np.where(np.arange(n) % 7, np.arange(n) / 3, np.nan)})
    frame["big"] = frame.n * 10**14
    assert db.upload("many", frame) == n
    [row] = db.sql(f"SELECT SUM(n) AS n, SUM(big) AS big, SUM(x IS NULL) AS nulls FROM {ada.scratch}.many").to_dict(
        "records"
    )
    total = n * (n - 1) // 2
    assert (row["n"], row["big"], row["nulls"]) == (total, total * 10**14, -(-n // 7))


def test_a_table_is_replaced_only_when_asked(db: Archive, ada: Someone) -> None:
    db.upload("mine", {"a": [1]})
    with pytest.raises(ScratchTableExists, match=r"my_41\.mine exists already. Replace it with replace=True"):
        db.upload("mine", {"a": [1, 2]})
    assert db.upload("mine", {"a": [1, 2]}, replace=True) == 2
    with pytest.raises(ColumnUnusable):
        db.upload("mine", {"a": [np.inf]}, replace=True)
    assert db.sql(f"SELECT COUNT(*) AS n FROM {ada.scratch}.mine").n[0] == 2
    assert not [name for name in db.scratch.tables()["name"] if name.startswith("unfinished")]


@pytest.mark.parametrize(
    ("frame", "error", "words"),
    [
        ({"a": [np.inf]}, ColumnUnusable, "Column 'a' cannot be stored: it has infinite values"),
        ({"a": [1, "x"]}, ColumnUnusable, "no single kind"),
        ({"a": [[1, 2]]}, ColumnUnusable, "values of type list"),
        ({"a b": [1]}, ScratchNameUnusable, "'a b' cannot be the name of a column"),
        ({"a": [1], "A": [2]}, ScratchNameUnusable, "each name once"),
        ({}, ColumnUnusable, "no columns"),
        ({"a": [1], "b": [1, 2]}, ColumnUnusable, "another length than others .a 1, b 2."),
    ],
)
def test_what_cannot_be_stored_is_named(db: Archive, frame: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as raised:
        db.upload("unusable", frame)
    assert "\n" not in str(raised.value)


def test_names_of_tables_are_plain(db: Archive) -> None:
    for name in ("a`b", "a.b", "", "x" * 65):
        with pytest.raises(ScratchNameUnusable):
            db.upload(name, {"a": [1]})


def test_own_tables_join_with_the_archive(archive: Config, db: Archive, ada: Someone, tmp_path: Path) -> None:
    load(archive, *simulate_nights([20240110], 60, tmp_path, seed=4))
    names = db.sql("SELECT objectId, COUNT(*) AS n FROM alerts GROUP BY objectId ORDER BY objectId LIMIT 3")
    db.upload("targets", names[["objectId"]])
    joined = db.sql(f"SELECT objectId, candid FROM alerts JOIN {ada.scratch}.targets USING (objectId)")
    assert len(joined) == names.n.sum()
    assert db.scratch.save("bright", "SELECT candid, magpsf FROM alerts WHERE magpsf < :m", m=30) == 60
    assert db.scratch.run("DELETE FROM bright WHERE candid = :c", c=int(joined.candid[0])) == 1
    assert db.sql(f"SELECT COUNT(*) AS n FROM {ada.scratch}.bright").n[0] == 59


def test_scratch_is_kept_between_sessions(server_config: Config, enter: Callable[..., Someone]) -> None:
    first = enter(42)
    first.archive().upload("kept", {"a": [1, 2, 3]})
    again = enter(42)
    assert again.password != first.password
    assert again.archive().sql("SELECT SUM(a) AS a FROM my_42.kept").a[0] == 6
    assert [row.id for row in list_people(server_config)].count(42) == 1


def test_over_its_limit_it_is_to_read_and_delete_only(
    server_config: Config, enter: Callable[..., Someone], watchdog: Watchdog
) -> None:
    person = enter(43)
    db = person.archive()
    db.upload("large", {"text": ["x" * 900] * 4000})
    db.upload("small", {"a": [1, 2]})
    set_scratch_limit(server_config, 43, 1)
    idle = person.connect(database=person.scratch)  # its rights as of now
    watchdog.look()
    with pytest.raises(Exception, match="gone away|Lost connection"):
        idle.cursor().execute("INSERT INTO small VALUES (3)")
    attempts: list[Callable[[], object]] = [
        lambda: db.upload("more", {"a": [1]}),
        lambda: db.scratch.run("INSERT INTO small VALUES (3)"),
        lambda: db.scratch.run("UPDATE small SET a = 3"),
        lambda: db.scratch.save("more", "SELECT 1 AS a"),
    ]
    for attempt in attempts:
        with pytest.raises(ScratchFull, match="my_43 holds 0.01 GB, 0.00 GB are allowed.*scratch.drop"):
            attempt()
    open_account(server_config, 44, "other", partnership=False)  # others are not concerned
    assert db.sql("SELECT SUM(a) AS a FROM my_43.small").a[0] == 3
    assert db.scratch.run("DELETE FROM small WHERE a = 1") == 1
    assert "to read and delete only" in repr(db.scratch)
    assert "scratch_MB" in set(db.sql("SELECT reason FROM alertdb_people.my_notices").reason)
    again = enter(43).archive()  # a new session does not lift it
    with pytest.raises(ScratchFull):
        again.upload("more", {"a": [1]})
    again.scratch.drop("large")
    watchdog.look()
    assert again.upload("more", {"a": [1]}) == 1


def test_keys_into_the_archive_and_tables_in_memory_go(
    archive: Config, enter: Callable[..., Someone], watchdog: Watchdog, tmp_path: Path
) -> None:
    load(archive, *simulate_nights([20240110], 30, tmp_path, seed=4))
    person = enter(45, partnership=True)
    cursor = person.connect(database=person.scratch).cursor()
    cursor.execute("CREATE TABLE `ke`y` (candid BIGINT, FOREIGN KEY (candid) REFERENCES ztf.alerts (candid))".replace(
        "`ke`y`", "`ke``y`"))  # fmt: skip
    cursor.execute("INSERT INTO `ke``y` SELECT candid FROM ztf.alerts")
    with connect(archive, Account.LOADER, "ztf") as loader:  # not even until the watchdog looks
        assert loader.exec_driver_sql("DELETE FROM alerts LIMIT 1").rowcount == 1
        loader.rollback()
    cursor.execute("CREATE TABLE in_memory (a INT) ENGINE = MEMORY")
    watchdog.look()
    cursor.execute("SHOW CREATE TABLE `ke``y`")
    assert "FOREIGN KEY" not in cursor.fetchone()[1]
    cursor.execute("SHOW TABLES")
    assert cursor.fetchall() == [("ke`y",)]
    told = person.archive().sql("SELECT message FROM alertdb_people.my_notices WHERE reason = 'scratch_tables'").message
    assert sorted("was dropped" in text for text in told) == [True, True]


def test_tables_lie_where_the_server_keeps_its_own(ada: Someone, tmp_path: Path) -> None:
    cursor = ada.connect(database=ada.scratch).cursor()
    cursor.execute(f"CREATE TABLE elsewhere (a INT) DATA DIRECTORY = '{tmp_path}'")
    cursor.execute("SHOW CREATE TABLE elsewhere")
    assert "DIRECTORY" not in cursor.fetchone()[1]
    assert list(tmp_path.iterdir()) == []


def ask_for_ever(db: Archive) -> tuple[threading.Thread, list[LimitReached]]:
    """Begin a question that only the watchdog ends; return its thread, and where what it meets is put."""
    errors: list[LimitReached] = []

    def ask() -> None:
        try:
            db.sql("SELECT SLEEP(1000)")
        except LimitReached as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, errors


def test_a_statement_over_the_limit_says_which(
    db: Archive, watchdog: Watchdog, limit: Callable[[str, int], None]
) -> None:
    limit("statement_seconds", 1)
    thread, errors = ask_for_ever(db)
    while thread.is_alive():
        watchdog.look()
        time.sleep(0.2)
    assert "statement_seconds" in str(errors[0])
    assert "1 s are allowed" in str(errors[0])
    told = db.sql("SELECT statement FROM alertdb_people.my_notices ORDER BY at DESC LIMIT 1")
    assert told.statement[0] == "SELECT SLEEP(1000)"


def test_a_connection_that_is_ended_says_why(
    server_config: Config, watchdog: Watchdog, enter: Callable[..., Someone]
) -> None:
    person = enter(46)
    db = person.archive()
    db.upload("large", {"text": ["x" * 900] * 4000})
    thread, errors = ask_for_ever(db)
    while not [p for p in watchdog._server.look().processes.values() if (p.statement or "").startswith("SELECT SLEEP")]:
        time.sleep(0.05)
    set_scratch_limit(server_config, 46, 1)
    watchdog.look()
    thread.join()
    assert "scratch_MB" in str(errors[0])
    assert "Scratch database my_46 holds 0.01 GB" in str(errors[0])


def test_other_accounts_have_no_scratch(archive: Config) -> None:
    with pytest.raises(NoScratch, match="Account 'alertdb_reader' has no database of its own"):
        Archive(archive).upload("a", {"a": [1]})
