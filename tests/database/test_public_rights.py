"""What a reader of `ztf_public` sees: the public rows, and nothing of others by any way we know."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from sqlalchemy import text

from alertdb.database import Account, connect
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from alertdb.config import Config

OBJECTS = 500
PUBLIC, HIDDEN, MIXED, EMPTY, UNCOUNTED = range(1, 6)

# Of objects 1 to 500 the even ones are partnership: so are rows whose candid or whole days are even. Of the public
# rows of histories each second was brought by a partnership packet.
SOURCE = f"""
SELECT seq AS n, IF(seq % 2, 1, 2) AS programid, CONCAT(IF(seq % 2, 'public', 'secret'), LPAD(seq, 3, '0')) AS name,
       IF(seq % 4 = 1, seq + 1, seq) AS packet FROM seq_1_to_{OBJECTS}
"""
FILL = f"""
INSERT INTO alerts (objectId, jd, fid, candid, programid, ra, `dec`, hpx29, tarball)
SELECT name, n, 1, n, programid, 0, 0, n, 1 FROM ({SOURCE}) AS s;
INSERT INTO alerts_limmag (objectId, jd, fid, diffmaglim, programid, packet_candid)
SELECT name, n + 0.5, 1, 20, programid, packet FROM ({SOURCE}) AS s;
INSERT INTO alerts_prv (objectId, jd, fid, candid, programid, packet_candid)
SELECT name, n + 0.25, 1, n + 2 * {OBJECTS}, programid, packet FROM ({SOURCE}) AS s;
INSERT INTO alerts_forced (objectId, jd, fid, forcediffimflux, programid, packet_candid)
SELECT name, n, 1, 10, programid, packet FROM ({SOURCE}) AS s
"""
EMPTY_NIGHT: dict[str, Any] = {
    "bytes": 1, "modified": "2021-01-01", "survey": "ztf", "state": "complete", "members": 0, "alerts": 0,
    "duplicates": 0, "partnership": 0, "objects": 0, "limits": 0, "history": 0, "forced": 0, "rejects": 1,
    "candid_sum": 0, "alerts_checksum": 0, "limits_checksum": 0, "history_checksum": 0, "forced_checksum": 0,
    "schemas": "3.3", "thumbnails": 0, "version": "1", "loaded_at": "2021-01-01", "seconds": 1,
}  # fmt: skip
NIGHTS: dict[int, dict[str, Any]] = {
    PUBLIC: {"name": "one.tar.gz", "alerts": 5},
    HIDDEN: {"name": "ztf_partnership_20210101.tar.gz", "alerts": 4, "duplicates": 2, "partnership": 6},
    MIXED: {"name": "two.tar.gz", "alerts": 7, "partnership": 3},
    EMPTY: {"name": "ztf_public_20210102.tar.gz"},
    UNCOUNTED: {"name": "three.tar.gz", "alerts": 5, "partnership": None},
    6: {"name": "ztf_partnership_20210102.tar.gz"},
    7: {"name": "1234.avro"},
}


@pytest.fixture
def filled(archive: Config) -> Iterator[Connection]:
    """Connection as administrator to an archive with public and partnership rows."""
    with connect(archive, Account.ADMIN) as connection:
        for statement in FILL.split(";\n"):
            connection.exec_driver_sql(statement)
        for tarball, changes in NIGHTS.items():
            values = EMPTY_NIGHT | {"id": tarball, "sha256": str(tarball), **changes}
            places = ", ".join(f":{name}" for name in values)
            names = ", ".join(f"`{name}`" for name in values)
            connection.execute(text(f"INSERT INTO tarballs ({names}) VALUES ({places})"), values)
            reject = {"tarball": tarball, "member": f"{tarball}.avro"}
            connection.execute(text("INSERT INTO rejects VALUES (:tarball, 0, :member, 0, 'cut')"), reject)
        connection.commit()
        connection.exec_driver_sql("ANALYZE TABLE alerts, alerts_limmag, alerts_prv, alerts_forced").all()
        yield connection


@pytest.fixture
def reader(archive: Config, filled: Connection) -> Iterator[mariadb.Cursor]:
    """Cursor of an account that may read `ztf_public` and nothing else."""
    filled.exec_driver_sql("CREATE USER public_reader@localhost")
    filled.exec_driver_sql("GRANT SELECT ON ztf_public.* TO public_reader@localhost")
    socket = str(PrivateServer(archive.home).socket)
    try:
        with mariadb.connect(unix_socket=socket, user="public_reader", database="ztf_public") as connection:
            yield connection.cursor()
    finally:
        filled.exec_driver_sql("DROP USER public_reader@localhost")


def answer(cursor: mariadb.Cursor, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@pytest.mark.parametrize("table", ["alerts", "alerts_limmag", "alerts_prv", "alerts_forced"])
def test_tables_show_public_rows_only(table: str, filled: Connection, reader: mariadb.Cursor) -> None:
    whole = filled.exec_driver_sql(f"SELECT * FROM {table}").mappings().all()
    expected = []
    for row in whole:
        if row["programid"] == 1:
            values = dict(row)
            if values.get("packet_candid", 1) % 2 == 0:
                values["packet_candid"] = None
            expected.append(tuple(values.values()))
    assert 0 < len(expected) == OBJECTS / 2 < len(whole)
    shown = answer(reader, f"SELECT * FROM {table} ORDER BY objectId")
    assert shown == sorted(expected)


def test_limits_of_partnership_packets_do_not_name_them(reader: mariadb.Cursor) -> None:
    for table in ("alerts_limmag", "alerts_prv", "alerts_forced"):
        [[named, nameless]] = answer(reader, f"SELECT COUNT(packet_candid), SUM(packet_candid IS NULL) FROM {table}")
        assert (named, nameless) == (OBJECTS / 4, OBJECTS / 4)


def test_ledger_shows_no_numbers_of_partnership(reader: mariadb.Cursor) -> None:
    shown = answer(reader, "SELECT id, name, alerts, bytes, rejects, sha256 FROM tarballs ORDER BY id")
    assert shown == [
        (PUBLIC, "one.tar.gz", 5, 1, 1, "1"),
        (MIXED, "two.tar.gz", None, None, None, None),
        (EMPTY, "ztf_public_20210102.tar.gz", 0, 1, 1, "4"),
    ]
    assert answer(reader, "SELECT tarball, member FROM rejects ORDER BY 1") == [(PUBLIC, "1.avro"), (EMPTY, "4.avro")]


def test_public_reader_has_no_way_around_the_views(reader: mariadb.Cursor, archive: Config) -> None:
    refused = ["SELECT COUNT(*) FROM ztf.alerts", "SHOW TABLES IN ztf", "EXPLAIN SELECT * FROM alerts",
               "DELETE FROM alerts", "CREATE TABLE t (a INT)", "SHOW CREATE VIEW alerts"]  # fmt: skip
    for statement in refused:
        with pytest.raises(mariadb.Error, match="denied|privilege"):
            reader.execute(statement)
    socket = str(PrivateServer(archive.home).socket)
    with pytest.raises(mariadb.Error, match="locked"):
        mariadb.connect(unix_socket=socket, user="alertdb_definer")


# Conditions that make the server look up a few rows by a key of the table beneath, and marks of hidden rows in columns
# that the key holds. The server tries such a mark before it reads the row: were programid no part of the key, it would
# try it on partnership rows.
NAMES = "objectId IN ('public011', 'secret012', 'public013', 'secret014')"
KEYED = {
    "alerts": {
        "hpx29 BETWEEN 11 AND 15": "candid % 2 = 0",
        "jd BETWEEN 11 AND 15": "candid % 2 = 0",
        NAMES: "objectId LIKE 'secret%' OR candid % 2 = 0",
        "candid BETWEEN 11 AND 15": "candid % 2 = 0",
        "TRUE": "ra = 0 AND candid % 2 = 0",
    },
    "alerts_limmag": {
        NAMES: "objectId LIKE 'secret%' OR FLOOR(jd) % 2 = 0",
        "packet_candid BETWEEN 11 AND 15": "packet_candid % 2 = 0",
        "packet_candid IS NULL": "objectId LIKE 'secret%'",
        "TRUE": "FLOOR(jd) % 2 = 0",
    },
    "alerts_prv": {
        NAMES: "objectId LIKE 'secret%' OR candid % 2 = 0",
        "candid BETWEEN 1011 AND 1015": "candid % 2 = 0",
        "packet_candid BETWEEN 11 AND 15": "packet_candid % 2 = 0",
        "TRUE": "FLOOR(jd) % 2 = 0",
    },
    "alerts_forced": {
        NAMES: "objectId LIKE 'secret%' OR FLOOR(jd) % 2 = 0",
        "packet_candid BETWEEN 11 AND 15": "packet_candid % 2 = 0",
        "TRUE": "FLOOR(jd) % 2 = 0",
    },
    "lightcurve": {
        NAMES: "objectId LIKE 'secret%' OR FLOOR(jd) % 2 = 0",
        "candid BETWEEN 11 AND 15": "candid % 2 = 0",
        "jd BETWEEN 11 AND 15": "FLOOR(jd) % 2 = 0",
        "TRUE": "FLOOR(jd) % 2 = 0",
    },
    "tarballs": {
        "name > ''": "id IN (2, 5, 6, 7)",
        "sha256 > ''": "id IN (2, 5, 6, 7)",
        "id > 0": "id IN (2, 5, 6, 7)",
    },
    "rejects": {
        "member > ''": "tarball IN (2, 3, 5, 6, 7)",
        "tarball > 0": "tarball IN (2, 3, 5, 6, 7)",
    },
}
FORMS = {
    "condition last": "SELECT COUNT(*) FROM {t} AS x WHERE {access} AND {spy}",
    "condition first": "SELECT COUNT(*) FROM {t} AS x WHERE {spy} AND {access}",
    "joined": "SELECT COUNT(*) FROM {t} AS x JOIN (SELECT 1) AS one WHERE {spy} AND {access}",
    "outer": "SELECT COUNT(*) FROM (SELECT 1 AS a) AS one LEFT JOIN {t} AS x ON {spy} AND {access}",
    "sorted": "SELECT * FROM {t} AS x WHERE {access} ORDER BY {spy}",
    "selected": "SELECT {spy} FROM {t} AS x WHERE {access}",
    "limited": "SELECT * FROM {t} AS x WHERE {access} HAVING {spy} LIMIT 100000",
}
SPIED = [(table, access, mark) for table, ways in KEYED.items() for access, mark in ways.items()]


@pytest.mark.parametrize(("table", "access", "mark"), SPIED)
def test_conditions_are_never_tried_on_hidden_rows(table: str, access: str, mark: str, reader: mariadb.Cursor) -> None:
    """A condition may have effects beside its result: it can count, sleep or fail."""
    for (name, form), hidden in itertools.product(FORMS.items(), (True, False)):
        seen = mark if hidden else f"NOT ({mark})"
        spy = f"(@seen := @seen + IFNULL({seen}, 0)) IS NOT NULL"
        reader.execute("SET @seen = 0")
        answer(reader, form.format(t=table, access=access, spy=spy))
        [[count]] = answer(reader, "SELECT @seen")
        if hidden:
            assert count == 0, f"{table}, {access}, {name}"
        else:
            assert count > 0, f"{table}, {access}, {name}: the test sees nothing"


# Texts that are no numbers: where the server tries to read them as such, its warning quotes them. Unlike counting in a
# variable, this is a condition that the optimizer moves into views and their branches.
QUOTED = {
    "alerts": "CONCAT('x', candid)",
    "alerts_limmag": "objectId",
    "alerts_prv": "CONCAT('x', candid)",
    "alerts_forced": "objectId",
    "lightcurve": "objectId",
    "tarballs": "name",
    "rejects": "CONCAT('cut ', member)",
}
HIDDEN_TEXT = re.compile(r"secret|x\d*[02468]\b|partnership|three|1234|cut [23567]")


@pytest.mark.parametrize(("table", "access"), [(table, access) for table, ways in KEYED.items() for access in ways])
def test_warnings_never_quote_hidden_rows(table: str, access: str, reader: mariadb.Cursor) -> None:
    reader.execute("SET max_error_count = 65535")
    for name, form in FORMS.items():
        spy = f"CAST({QUOTED[table]} AS INT) IS NOT NULL"
        answer(reader, form.format(t=table, access=access, spy=spy))
        messages = [message for _, _, message in answer(reader, "SHOW WARNINGS")]
        assert not [message for message in messages if HIDDEN_TEXT.search(message)], name
        assert any("Truncated incorrect INTEGER" in message for message in messages), f"{name}: the test sees nothing"
