"""Every value that a packet can hold, through the loader into a real table, back bit for bit or NULL."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from contextlib import closing
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import mariadb
import polars as pl
import pytest
from archives import empty_tables, load
from hostile import changed, contradictions, make_tarball, member, records_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain import stored_table
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, connect
from alertdb.errors import LoadRefused
from ingest.cleaning import blank_sentinels
from ingest.load import LINK, insert_rows, load_rows
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import CANDIDATE, TEXT_LIMITS

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config

Alter = Callable[..., dict[str, Any]]
COLUMNS = {"n": pl.Int32, "f": pl.Float32, "d": pl.Float64, "i": pl.Int32, "b": pl.Int64, "s": pl.String}
ROWS_PER_EXAMPLE = 60
QUICK = settings(
    max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

FLOAT_MAX = struct.unpack("<f", bytes.fromhex("ffff7f7f"))[0]
FLOAT_TINY = struct.unpack("<f", bytes.fromhex("01000000"))[0]  # the smallest subnormal
DOUBLE_MAX, DOUBLE_TINY = math.ldexp(2 - 2**-52, 1023), 5e-324
SPECIAL = (0.0, -0.0, math.nan, math.inf, -math.inf)
# All bit patterns alike: half of them are far out, as no generator of "nice" floats has them.
float32s = (
    st.integers(0, 2**32 - 1).map(lambda bits: struct.unpack("<f", struct.pack("<I", bits))[0])
    | st.floats(width=32)
    | st.sampled_from((*SPECIAL, FLOAT_MAX, -FLOAT_MAX, FLOAT_TINY, -FLOAT_TINY))
)
float64s = (
    st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
    | st.floats()
    | st.sampled_from((*SPECIAL, DOUBLE_MAX, -DOUBLE_MAX, DOUBLE_TINY, -DOUBLE_TINY))
)
int32s = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([-(2**31), 2**31 - 1])
int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 2**53 + 1])
TRICKY: tuple[str, ...] = (
    "\\N",
    "NULL",
    "\\",
    "\\\\",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "'",
    '"',
    "''",
    "é",
    "\U0001f52d",
    " ",
    "a ",
    "\x1a",
    "",
)
TRICKY += ("\\t", "\\0", "nan", "-999", "0", "a\\", "\ufeff", "\u2028", "%s", "?", ":name", "; DROP TABLE alerts", "\b")
texts = st.text(max_size=20) | st.sampled_from(TRICKY) | st.lists(st.sampled_from(TRICKY), max_size=6).map("".join)


def bits_of(value: float | None, kind: str) -> bytes | None:
    """A float's bits, None for what is no number. MariaDB knows one zero only."""
    return struct.pack(kind, value + 0.0) if value is not None and math.isfinite(value) else None


@pytest.fixture(scope="module", params=["over its socket", "by the driver"])
def connection(server_config: Config, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """The loader's connection, with a table for one value of each type; rows take the one or the other way."""
    with connect(server_config, Account.LOADER) as connection:
        if request.param == "by the driver":  # as where the line is encrypted
            connection.info[LINK] = None
        connection.exec_driver_sql("SET SESSION sql_mode = 'TRADITIONAL'")
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE cells (n INT PRIMARY KEY, f FLOAT, d DOUBLE, i INT, b BIGINT, s VARCHAR(200)) "
            "ENGINE = InnoDB"
        )
        yield connection


def load_frame(connection: Connection, frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Load a frame into the table, and return what is in there then."""
    connection.exec_driver_sql("DELETE FROM cells")
    load_rows(connection, "cells", frame)
    with closing(connection.connection.cursor(binary=True)) as cursor:
        cursor.execute("SELECT * FROM cells ORDER BY n")
        return list(cursor.fetchall())


@QUICK
@given(rows=st.lists(st.tuples(float32s, float64s, int32s, int64s, texts), min_size=1, max_size=ROWS_PER_EXAMPLE))
def test_any_value_comes_back(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    numbered = [(number, *row) for number, row in enumerate(rows)]
    # A sentinel that no value has: what it does to values is tested with whole packets.
    frame = blank_sentinels(pl.DataFrame(numbered, schema=COLUMNS, orient="row"), -998, keep=["n", "s"])
    stored = load_frame(connection, frame)
    for number, f, d, i, b, s in numbered:
        found = stored[number]
        assert bits_of(found[1], "<f") == bits_of(f, "<f"), f
        assert bits_of(found[2], "<d") == bits_of(d, "<d"), d
        assert found[3:] == (None if i == -998 else i, None if b == -998 else b, s)


def test_every_power_of_two_and_its_neighbours(connection: Connection) -> None:
    patterns = {max(0, min((exponent << 23) + near, 0x7F7FFFFF)) for exponent in range(255) for near in (-1, 0, 1)}
    values = [struct.unpack("<f", struct.pack("<I", bits | sign))[0] for bits in patterns for sign in (0, 1 << 31)]
    rows = [(number, value, float(value), None, None, None) for number, value in enumerate(values)]
    stored = load_frame(connection, pl.DataFrame(rows, schema=COLUMNS, orient="row"))
    assert [bits_of(row[1], "<f") for row in stored] == [bits_of(value, "<f") for value in values]
    assert [bits_of(row[2], "<d") for row in stored] == [bits_of(value, "<d") for value in values]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", ["f", "d"])
def test_what_is_no_number_is_refused_and_not_stored_as_zero(connection: Connection, column: str, value: float) -> None:
    row = {"n": 1, "f": 1.0, "d": 1.0, "i": 1, "b": 1, "s": ""} | {column: value}
    with pytest.raises(mariadb.Error, match="Out of range value for column|Float value '.*' is not supported"):
        load_frame(connection, pl.DataFrame([row], schema=COLUMNS))
    assert connection.exec_driver_sql("SELECT COUNT(*) FROM cells").scalar() == 0


ONE = pl.DataFrame([(1, 1.0, 1.0, 1, 1, "")], schema=COLUMNS, orient="row")


def test_what_the_server_would_change_is_refused(connection: Connection) -> None:
    connection.exec_driver_sql("SET SESSION sql_mode = ''")
    with pytest.raises(LoadRefused, match="did not take 2 rows as they were sent: Data truncated for column 's'"):
        insert_rows(connection, "cells", ONE.columns, [ONE, ONE.with_columns(n=2, s=pl.lit("x" * 201))])
    connection.rollback()
    connection.exec_driver_sql("SET SESSION sql_mode = 'TRADITIONAL'")
    with pytest.raises(mariadb.Error, match="Data too long for column 's'"):
        load_rows(connection, "cells", ONE.with_columns(s=pl.lit("x" * 201)))


def test_rows_alone_are_a_transaction(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM cells")
    connection.commit()
    load_rows(connection, "cells", ONE)
    connection.commit()
    load_rows(connection, "cells", ONE.with_columns(n=2))
    connection.rollback()
    assert connection.exec_driver_sql("SELECT n FROM cells").all() == [(1,)]


def test_a_row_that_is_there_is_refused_or_updated(connection: Connection) -> None:
    connection.exec_driver_sql("DELETE FROM cells")
    load_rows(connection, "cells", ONE)
    with pytest.raises(mariadb.Error, match="Duplicate entry '1'"):
        load_rows(connection, "cells", ONE)
    many = pl.concat([ONE] * 3)
    insert_rows(connection, "cells", ONE.columns, [many, ONE.clear(), ONE], "ON DUPLICATE KEY UPDATE i = cells.i + 1")
    assert connection.exec_driver_sql("SELECT n, i FROM cells").all() == [(1, 5)]


def test_an_error_leaves_the_connection_usable(connection: Connection) -> None:
    def frames() -> Iterator[pl.DataFrame]:
        yield ONE.with_columns(n=7)
        raise KeyError("while the server works at the first")

    connection.exec_driver_sql("DELETE FROM cells")
    with pytest.raises(KeyError):
        insert_rows(connection, "cells", ONE.columns, frames())
    assert connection.exec_driver_sql("SELECT n FROM cells").all() == [(7,)]


class Interrupted:
    """A line on which Ctrl-C comes in the middle of a packet."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    def sendall(self, data: bytes) -> None:
        self._line.sendall(data[: len(data) // 2])
        raise KeyboardInterrupt


def test_who_is_interrupted_within_a_packet_waits_for_no_answer(server_config: Config) -> None:
    with connect(server_config, Account.LOADER) as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE cells (n INT)")
        numbers = pl.DataFrame({"n": range(1000)}, schema={"n": pl.Int32})
        load_rows(connection, "cells", numbers)
        link: Any = connection.info[LINK]
        link._socket = Interrupted(link._socket)
        with pytest.raises(KeyboardInterrupt):
            load_rows(connection, "cells", numbers)
        with pytest.raises(DBAPIError, match="gone away|Lost connection"):
            connection.exec_driver_sql("SELECT COUNT(*) FROM cells")


@pytest.fixture(scope="module")
def altered(tmp_path_factory: pytest.TempPathFactory) -> Alter:
    """Make records like a simulated one, with other values in the candidate; without cutouts, which do not matter."""
    (tarball,) = simulate_nights([20240110], 1, tmp_path_factory.mktemp("one"), seed=3)
    record = records_of(tarball)[0]
    record |= dict.fromkeys(("cutoutScience", "cutoutTemplate", "cutoutDifference"), None)
    return lambda **values: changed(record, **values)


REQUIRED = {"jd", "fid", "programid", "candid", "isdiffpos", "ra", "dec"}
STRATEGIES = {"float": float32s, "double": float64s, "int32": int32s, "int64": int64s}
ANY_VALUE = {
    name: STRATEGIES[str(kind)] for name, kind in CANDIDATE.items() if name not in REQUIRED and str(kind) in STRATEGIES
}
ANY_TEXT = {
    name: texts.map(itemgetter(slice(TEXT_LIMITS[name])))
    for name in ("ssnamenr", "rbversion", "drbversion", "pdiffimfilename", "programpi")
}
PLACED = {
    "jd": float64s.filter(lambda jd: math.isfinite(jd) and jd != -999),
    "ra": st.floats(0, 360),
    "dec": st.floats(-90, 90),
    "fid": st.sampled_from([1, 2, 3, -(2**31), 2**31 - 1]),
    "isdiffpos": st.sampled_from(["t", "f", "1", "0"]),
}
CHANGES = ANY_VALUE | ANY_TEXT | PLACED
changes = st.lists(st.sampled_from(sorted(CHANGES)), max_size=12, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: CHANGES[name] for name in names})
)
EXTREMES: dict[str, list[Any]] = {
    "float": [FLOAT_MAX, -FLOAT_MAX, FLOAT_TINY, math.nan, -math.inf],
    "double": [DOUBLE_MAX, -DOUBLE_MAX, DOUBLE_TINY, math.nan, math.inf],
    "int32": [-(2**31), 2**31 - 1],
    "int64": [-(2**63), 2**63 - 1],
}


def expected_cell(name: str, value: Any) -> Any:
    """What the table must hold of a value of `candidate`."""
    kind = str(CANDIDATE[name])
    if name == "isdiffpos":
        return {"1": "t", "0": "f"}.get(value, value)
    if kind == "string":
        return None if value == "null" else value
    if value == -999:
        return None
    return bits_of(value, "<f" if kind == "float" else "<d") if kind in ("float", "double") else value


def check_packets(archive: Config, folder: Path, records: list[dict[str, Any]]) -> None:
    """Load records in one tarball, and compare all cells of `alerts`."""
    tarball = make_tarball(folder / "values.tar.gz", [member(record) for record in records])
    (outcome,) = load(archive, tarball)
    assert (outcome.alerts, outcome.rejects) == (len(records), 0)
    stored = stored_table(archive, "alerts", ("candid",))
    for record in records:
        row = stored[record["candid"]]
        assert row["objectId"] == record["objectId"]
        for name, kind in CANDIDATE.items():
            bits = {"float": "<f", "double": "<d"}.get(str(kind))
            assert (bits_of(row[name], bits) if bits else row[name]) == expected_cell(
                name, record["candidate"][name]
            ), name
    assert contradictions(archive) == []


@settings(QUICK, phases=[Phase.generate])  # to shrink takes minutes where each try is a load
@given(
    drawn=st.lists(changes, min_size=1, max_size=4),
    names=st.lists(texts.map(lambda text: text[:32]).filter(lambda text: text != "null"), min_size=4, max_size=4),
)
def test_any_packet_comes_back(
    archive: Config, altered: Alter, tmp_path: Path, drawn: list[dict[str, Any]], names: list[str]
) -> None:
    empty_tables(archive)
    candids = [2**63 - 1 - number for number in range(len(drawn))]
    records = [
        altered(candid=candid, objectId=name, **values)
        for candid, name, values in zip(candids, names, drawn, strict=False)
    ]
    check_packets(archive, tmp_path, records)


def test_packets_of_nothing_but_extremes(archive: Config, altered: Alter, tmp_path: Path) -> None:
    records = []
    for number in range(5):
        values = {
            name: EXTREMES[str(CANDIDATE[name])][number % len(EXTREMES[str(CANDIDATE[name])])] for name in ANY_VALUE
        }
        place = {"ra": [0.0, 360.0, 5e-324][number % 3], "dec": [-90.0, 90.0, -0.0][number % 3], "jd": DOUBLE_MAX}
        # Of one object, so that the summary has to cope with them too.
        records.append(altered(candid=-(2**63) + number, objectId="one", **values, **place))
    check_packets(archive, tmp_path, records)
    assert stored_table(archive, "summary", ("objectId",))["one"]["nobs"] == 5


def test_sums_of_candids_are_exact_beyond_64_bits(archive: Config, altered: Alter, tmp_path: Path) -> None:
    candids = [2**61 + number for number in range(40)]
    members = [member(altered(candid=candid)) for candid in candids]
    load(archive, make_tarball(tmp_path / "b.tar.gz", members))
    assert stored_table(archive, "tarballs", ("name",))["b.tar.gz"]["candid_sum"] == sum(candids)
    load(archive, make_tarball(tmp_path / "a.tar.gz", members[:-1]))  # takes all but one over
    ledger = stored_table(archive, "tarballs", ("name",))
    assert ledger["a.tar.gz"]["candid_sum"] == sum(candids[:-1])
    assert ledger["b.tar.gz"]["candid_sum"] == candids[-1]
    assert contradictions(archive) == []
