"""The view `lightcurve`: against the same rules in a plain loop, and that it reads only what it is asked for."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from alertdb.archive import Archive
from alertdb.database import Account, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from alertdb.config import Config

Row = dict[str, Any]
COLUMNS = (
    "objectId", "jd", "fid", "kind", "candid", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "flux", "flux_error",
    "magzpsci", "rb", "programid",
)  # fmt: skip
KINDS = {"alerts": "alert", "alerts_prv": "history", "alerts_limmag": "limit", "alerts_forced": "forced"}
OBJECTS = 12


def quarters(dice: random.Random) -> float:
    """Return a number that single precision holds exactly, so that no rounding blurs a comparison."""
    return dice.randrange(40, 90) / 4


def make_row(table: str, dice: random.Random) -> Row:
    """Make a row on a coarse grid of epochs, so that tables and rows of one table often share one."""
    program = dice.choice([1, 1, 2] if table == "alerts" else [1, 1, 2, None])
    row = {
        "objectId": f"ZTF21{dice.randrange(OBJECTS)}",
        "jd": 2459000.5 + dice.randrange(8),
        "fid": dice.choice([1, 2]),
    }
    row |= {"programid": program, "diffmaglim": quarters(dice)}
    if table in ("alerts", "alerts_prv"):
        row |= {"candid": dice.randrange(10**17, 10**18), "magpsf": quarters(dice), "sigmapsf": 0.25, "rb": 0.5}
        row["isdiffpos"] = dice.choice("tf")
    if table == "alerts":
        row |= {"ra": 10.0, "dec": 20.0, "hpx29": 1, "tarball": 1}
    else:
        row["packet_candid"] = 1
    if table == "alerts_forced":
        row |= {"forcediffimflux": quarters(dice), "forcediffimfluxunc": 1.5, "magzpsci": 26.5}
    return row


def make_tables(dice: random.Random) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {}
    for table in KINDS:
        rows = [make_row(table, dice) for _ in range(100)]
        if table in ("alerts_limmag", "alerts_forced"):  # their key is the epoch
            rows = list({epoch(row): row for row in rows}.values())
        tables[table] = rows
    return tables


def epoch(row: Row) -> tuple[Any, ...]:
    return row["objectId"], row["jd"], row["fid"]


def insert(connection: Connection, table: str, rows: list[Row]) -> None:
    names = ", ".join(f"`{name}`" for name in rows[0])
    connection.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in rows[0])})"), rows
    )


def expected_points(tables: dict[str, list[Row]], *, public: bool) -> list[tuple[Any, ...]]:
    """Light curves by the rules: alert before history before limit before forced, then the larger candid."""
    kept = {name: [row for row in rows if not public or row["programid"] == 1] for name, rows in tables.items()}
    forced = {epoch(row): row for row in kept["alerts_forced"]}
    points: dict[tuple[Any, ...], Row] = {}
    for table, kind in KINDS.items():
        for row in sorted(kept[table], key=lambda row: row.get("candid", 0), reverse=True):
            flux = forced.get(epoch(row), {})
            beside = {"flux": flux.get("forcediffimflux"), "flux_error": flux.get("forcediffimfluxunc")}
            point = {**row, "kind": kind, **beside, "magzpsci": flux.get("magzpsci")}
            points.setdefault(epoch(row), point)
    return sorted(tuple(point.get(name) for name in COLUMNS) for point in points.values())


@pytest.fixture
def connection(archive: Config) -> Iterator[Connection]:
    with connect(archive, Account.ADMIN) as connection:
        yield connection


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("database", ["ztf", "ztf_public"])
def test_every_epoch_once_with_the_best_that_is_known(connection: Connection, database: str, seed: int) -> None:
    tables = make_tables(random.Random(seed))
    for table, rows in tables.items():
        insert(connection, table, rows)
    expected = expected_points(tables, public=database == "ztf_public")
    assert {point[3] for point in expected} == set(KINDS.values())
    query = f"SELECT {', '.join(COLUMNS)} FROM {database}.lightcurve"
    assert sorted(map(tuple, connection.exec_driver_sql(query))) == expected
    names = ("ZTF213", "ZTF217")
    some = connection.exec_driver_sql(f"{query} WHERE objectId IN {names}")
    assert sorted(map(tuple, some)) == [point for point in expected if point[0] in names]


@pytest.mark.parametrize("seed", range(3, 6))
@pytest.mark.parametrize("database", ["ztf", "ztf_public"])
def test_the_archive_merges_rows_by_the_rules_of_the_view(
    archive: Config, connection: Connection, database: str, seed: int
) -> None:
    tables = make_tables(random.Random(seed))
    for table, rows in tables.items():
        insert(connection, table, rows)
    connection.commit()
    expected = expected_points(tables, public=database == "ztf_public")
    detected = {point[0] for point in expected if point[3] == "alert"}
    with Archive(archive, database) as reading:
        for names in ([name] for name in detected), [sorted(detected, reverse=True)]:
            for some in names:
                merged = reading.lightcurve_table(some, forced=True)
                points = [tuple(row[name] for name in COLUMNS) for row in merged.to_pylist()]
                assert points == sorted(
                    (point for point in expected if point[0] in some),
                    key=lambda point: (some.index(point[0]), *point[1:3]),
                )
                shown = reading.reader.query("SELECT * FROM lightcurve WHERE objectId IN :some", {"some": some})
                assert shown.schema == merged.schema
                assert sorted(map(repr, shown.to_pylist())) == sorted(map(repr, merged.to_pylist()))


FILL = """
INSERT INTO alerts (objectId, jd, fid, candid, programid, ra, `dec`, hpx29, tarball)
SELECT CONCAT('ZTF', seq % {objects}), seq, 1, seq, 1, 0, 0, seq, 1 FROM seq_1_to_{rows};
INSERT INTO alerts_limmag (objectId, jd, fid, diffmaglim, programid, packet_candid)
SELECT objectId, jd + 0.5, fid, 20, 1, candid FROM alerts;
INSERT INTO alerts_prv (objectId, jd, fid, candid, programid, packet_candid)
SELECT objectId, jd + 0.25, fid, candid + {rows}, 1, candid FROM alerts;
INSERT INTO alerts_forced (objectId, jd, fid, programid, packet_candid)
SELECT objectId, jd, fid, 1, candid FROM alerts
"""


def rows_read(connection: Connection, query: str) -> int:
    """Return how many entries of tables and keys the server reads for a query."""
    status = (
        "SHOW SESSION STATUS WHERE variable_name IN ('Handler_read_key', 'Handler_read_next', 'Handler_read_rnd_next')"
    )
    before = sum(int(value) for _, value in connection.exec_driver_sql(status))
    connection.exec_driver_sql(query).all()
    return sum(int(value) for _, value in connection.exec_driver_sql(status)) - before


@pytest.mark.parametrize("database", ["ztf", "ztf_public"])
def test_named_objects_are_looked_up_by_key(connection: Connection, database: str) -> None:
    rows, objects = 12_000, 3_000
    for statement in FILL.format(rows=rows, objects=objects).split(";\n"):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("ANALYZE TABLE alerts, alerts_limmag, alerts_prv, alerts_forced").all()
    query = f"SELECT * FROM {database}.lightcurve WHERE objectId"
    points = 12  # of each object: 4 alerts with forced photometry, 4 limits, 4 of the history
    reads = 15 * points  # of each object: its points and, for each, a few look-ups in the other tables
    for names in (["ZTF7"], [f"ZTF{i}" for i in range(10)], [f"ZTF{i}" for i in range(1500)]):
        condition = ", ".join(f"'{name}'" for name in names)
        assert len(connection.exec_driver_sql(f"{query} IN ({condition})").all()) == points * len(names)
        assert rows_read(connection, f"{query} IN ({condition})") < reads * len(names) + 100
    assert rows_read(connection, f"{query} = 'ZTF7' ORDER BY jd") < reads
    assert rows_read(connection, f"{query} > ''") > 4 * rows
