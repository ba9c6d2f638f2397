"""The archive as notebooks see it, against plain loops over the packets and astropy."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from loaded import load_tarballs
from plain import expected_tables, read_packets

import alertdb
from alertdb.archive import Archive
from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.errors import QueryStopped, ResultCut, UnknownCandid, UnknownObject
from alertdb.objects import summary_statement
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plain import Tables

SUPERNOVA = "ZTF21abiuvdk"
KINDS = {"alert": "alerts", "history": "alerts_prv", "limit": "alerts_limmag", "forced": "alerts_forced"}


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.fixture
def archive(config: Config) -> Iterator[Archive]:
    archive = Archive(config)
    yield archive
    archive.close()


@pytest.fixture(scope="module")
def expected(real_tarballs: list[Path]) -> Tables:
    return expected_tables(real_tarballs)


def epochs(expected: Tables, name: str, *kinds: str) -> list[tuple[float, int]]:
    """Epochs of an object that are shown as one of some kinds: what came first in the order of KINDS has an epoch."""
    shown: set[tuple[float, int]] = set()
    taken: set[tuple[float, int]] = set()
    for kind, table in KINDS.items():
        found = {(row["jd"], row["fid"]) for row in expected[table].values() if row["objectId"] == name} - taken
        taken |= found
        shown |= found if kind in kinds else set()
    return sorted(shown)


def test_ids_stay_integers_with_nulls_too(archive: Archive, expected: Tables) -> None:
    frame = archive.sql("SELECT candid, objectidps1, nid, magpsf, jd, objectId FROM alerts ORDER BY candid")
    assert frame.dtypes.drop("objectId").to_dict() == {
        "candid": np.dtype("int64"),
        "objectidps1": pd.Int64Dtype(),
        "nid": np.dtype("int32"),
        "magpsf": np.dtype("float32"),
        "jd": np.dtype("float64"),
    }
    rows = [expected["alerts"][candid] for candid in sorted(expected["alerts"])]
    assert frame["candid"].tolist() == [row["candid"] for row in rows]
    assert [None if value is pd.NA else value for value in frame["objectidps1"]] == [row["objectidps1"] for row in rows]
    assert [float(value) for value in frame["magpsf"]] == [row["magpsf"] for row in rows]


def test_sums_that_no_int64_holds_are_integers_of_python(archive: Archive, expected: Tables) -> None:
    total = archive.sql("SELECT SUM(candid) AS s FROM alerts")["s"].iloc[0]
    assert type(total) is int
    assert total == sum(expected["alerts"])


def test_a_column_of_a_frame_is_a_parameter(archive: Archive) -> None:
    some = archive.sql("SELECT candid FROM alerts ORDER BY candid LIMIT 5")["candid"]
    found = archive.sql("SELECT candid FROM alerts WHERE candid IN :some ORDER BY candid", some=some)
    assert found["candid"].tolist() == some.tolist()


def test_light_curve_of_the_supernova(archive: Archive, expected: Tables) -> None:
    frame = archive.lightcurve(SUPERNOVA)
    alerts = sorted(
        (row for row in expected["alerts"].values() if row["objectId"] == SUPERNOVA), key=lambda row: row["jd"]
    )
    shown = frame[frame["kind"] == "alert"]
    assert len(alerts) == 34
    for name in ("jd", "fid", "candid", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "rb", "programid"):
        assert shown[name].tolist() == [row[name] for row in alerts], name
    assert frame["candid"].dtype == "Int64"
    assert frame["jd"].is_monotonic_increasing
    assert list(zip(frame["jd"], frame["fid"], strict=True)) == epochs(expected, SUPERNOVA, "alert", "history", "limit")


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, ("alert", "history", "limit")),
        ({"limits": False, "history": False}, ("alert",)),
        ({"limits": False}, ("alert", "history")),
        ({"history": False}, ("alert", "limit")),
        ({"forced": True}, ("alert", "history", "limit", "forced")),
    ],
)
def test_light_curves_with_and_without_parts(
    archive: Archive, expected: Tables, options: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    names = sorted({row["objectId"] for row in expected["alerts"].values()})
    frame = archive.lightcurve(names, **options)
    assert set(frame["kind"]) == set(kinds)
    for name in names:
        part = frame[frame["objectId"] == name]
        assert list(zip(part["jd"], part["fid"], strict=True)) == epochs(expected, name, *kinds)


def test_forced_photometry_has_the_source_of_the_reference_image_too(archive: Archive, expected: Tables) -> None:
    names = sorted({name for name, _, _ in expected["alerts_forced"]})
    frame = archive.lightcurve(names, forced=True, reference=True)
    forced = frame[frame["kind"] == "forced"]
    assert len(forced) > 50
    for row in forced.itertuples():
        known = expected["alerts_forced"][row.objectId, row.jd, row.fid]
        for name in ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr"):
            value = np.nan if known[name] is None else known[name]
            np.testing.assert_equal(float(getattr(row, name)), value)


def test_light_curves_of_more_objects_than_one_query_asks_for(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, expected: Tables
) -> None:
    monkeypatch.setattr("alertdb.archive.OBJECTS_PER_QUERY", 7)
    names = sorted({row["objectId"] for row in expected["alerts"].values()})
    frame = archive.lightcurve(reversed(names))
    assert list(dict.fromkeys(frame["objectId"])) == names[::-1]
    with pytest.raises(UnknownObject, match="ZTF99zzzzzzz"):
        archive.lightcurve([*names, "ZTF99zzzzzzz"])
    assert archive.lightcurve([]).empty


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("ztf21ABIUVDK", SUPERNOVA),
        ("ZTF21abiuvdj", SUPERNOVA),
        ("ZTF21abiuvd", SUPERNOVA),
        ("ZTF21abiuvdkk", SUPERNOVA),
        ("ZTF21abiuvkd", SUPERNOVA),
        (" ZTF21abiuvdk", SUPERNOVA),
        ("ZTF21abizzzzz", SUPERNOVA),
    ],
)
def test_unknown_objects_are_told_with_the_nearest_known(archive: Archive, asked: str, nearest: str) -> None:
    for ask in (archive.lightcurve, archive.object):
        with pytest.raises(UnknownObject, match=f"'{asked}'.*Nearest known: .*{nearest}"):
            ask(asked)


@pytest.mark.parametrize("asked", ["", "x" * 100, "é'\\\x00", "0", "~", "nope", "ZTF99zzzzzzz"])
def test_names_that_are_none(archive: Archive, asked: str) -> None:
    """Nothing known is like them."""
    with pytest.raises(UnknownObject, match="case-sensitive"):
        archive.object(asked)


def test_the_nearest_are_looked_up_by_key_only(archive: Archive) -> None:
    with connect(archive.config, Account.READER) as connection:
        for compared, order in ((">", ""), ("<", "DESC")):
            statement = (
                f"SELECT objectId FROM alerts WHERE objectId {compared} 'ZTF21b' ORDER BY objectId {order} LIMIT 1"
            )
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}").one()
            assert (plan.type, plan.key) == ("range", "lightcurve")


def test_object_is_the_row_of_the_summary(archive: Archive, expected: Tables) -> None:
    found = archive.object(SUPERNOVA).summary
    summary = expected["summary"][SUPERNOVA]
    assert found["nobs"] == 34
    assert found["candid_last"] == summary["candid_last"]
    assert found["magmean_g"] == pytest.approx(summary["magmean_g"], rel=1e-9)
    assert found.name == SUPERNOVA


def test_object_with_one_alert_has_the_same_columns(archive: Archive, expected: Tables) -> None:
    (row, *_) = [row for row in expected["alerts"].values() if row["objectId"] not in expected["summary"]]
    limits = [key for key in expected["alerts_limmag"] if key[0] == row["objectId"]]
    found = archive.object(row["objectId"]).summary
    band, other = ("g", "r") if row["fid"] == 1 else ("r", "g")
    assert list(found.index) == list(archive.object(SUPERNOVA).summary.index)
    assert (found["nobs"], found["nlimmag"], found["candid_last"]) == (1, len(limits), row["candid"])
    assert (found["ra_mean"], found["dec_mean"]) == pytest.approx((row["ra"], row["dec"]), abs=1e-12)
    assert found[f"magmean_{band}"] == found[f"maglast_{band}"] == row["magpsf"]
    assert pd.isna(found[f"magmean_{other}"])
    assert pd.isna(found["ra_std"])


def test_object_computed_on_the_spot_equals_the_summary(archive: Archive) -> None:
    stored = archive.object(SUPERNOVA).summary.to_dict()
    computed = archive.sql(summary_statement("ztf"), name=SUPERNOVA).iloc[0].to_dict()
    for name, value in stored.items():
        same = pd.isna(value) and pd.isna(computed[name])
        assert same or computed[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value), name


@pytest.mark.parametrize("radius", [0.05, 5.0, 1800.0, 36000.0])
def test_cone_finds_what_astropy_finds(archive: Archive, expected: Tables, radius: float) -> None:
    rows = list(expected["alerts"].values())
    sky = SkyCoord([row["ra"] for row in rows] * u.deg, [row["dec"] for row in rows] * u.deg)
    for centre in rows[::20]:
        place = SkyCoord(centre["ra"] * u.deg, centre["dec"] * u.deg).directional_offset_by(30 * u.deg, 0.01 * u.arcsec)
        distances = np.asarray(place.separation(sky).arcsec)
        inside = {row["candid"]: d for row, d in zip(rows, distances, strict=True) if d <= radius}
        found = archive.cone((place.ra.deg, place.dec.deg), radius)
        assert dict(zip(found["candid"], found["distance_arcsec"], strict=True)) == pytest.approx(
            inside, rel=1e-9, abs=1e-7
        )
        assert found["distance_arcsec"].is_monotonic_increasing


def test_thumbnails_are_the_images_of_the_packets(archive: Archive, real_tarballs: list[Path]) -> None:
    packets = [packet for path in real_tarballs for packet in read_packets(path) if packet["objectId"] == SUPERNOVA]
    packets.sort(key=lambda packet: packet["candidate"]["jd"])
    found = archive.thumbnails(SUPERNOVA)
    assert list(found) == [packet["candid"] for packet in packets]
    for packet in packets:
        for kind, image in found[packet["candid"]].items():
            content = gzip.decompress(packet[f"cutout{kind.capitalize()}"]["stampData"])
            columns, rows = (int(content[card : card + 80].split(b"=")[1]) for card in (240, 320))
            expected = np.frombuffer(content, ">f4", count=rows * columns, offset=2880).reshape(rows, columns)
            np.testing.assert_array_equal(image, expected)


def test_thumbnails_of_candids(archive: Archive, expected: Tables) -> None:
    first, second, *_ = expected["alerts"]
    assert list(archive.thumbnails(np.int64(first))) == [first]
    assert list(archive.thumbnails(pd.Series([second, first]))) == [second, first]
    with pytest.raises(UnknownCandid, match="candid 7 "):
        archive.thumbnails([first, 7])
    with pytest.raises(UnknownObject, match=SUPERNOVA):
        archive.thumbnails("ztf21abiuvdk")


def test_what_an_archive_says_of_itself(config: Config, archive: Archive) -> None:
    first, newest, rows, databases, server = repr(archive).splitlines()
    assert first == f"<Archive ztf in {config.home}: 139 alerts of 27 tarballs, 2018-06-01 to 2023-10-12 (UTC)"
    assert newest == "  newest night: 2023-10-12"
    assert re.fullmatch(
        r"  rows, about: alerts [\d,]+, alerts_limmag [\d,]+, alerts_prv [\d,]+, alerts_forced [\d,]+, summary \d+",
        rows,
    )
    assert databases == "  databases: ztf, ztf_public"
    assert re.fullmatch(r"  server: MariaDB [\d.]+; limits: none on time, none on rows>", server)
    with Archive(config, "ztf_public") as public:
        assert (
            repr(public).splitlines()[0].startswith(f"<Archive ztf_public in {config.home}: 139 alerts of 27 tarballs")
        )


def test_limits_of_the_account_are_told(config: Config, archive: Archive) -> None:
    with connect(config, Account.ADMIN) as connection:
        try:
            connection.exec_driver_sql("SET GLOBAL max_statement_time = 0.7, GLOBAL sql_select_limit = 100")
            assert repr(archive).endswith("limits: 0.7 s a statement, 100 rows a result>")
            with pytest.warns(ResultCut, match="has 100 rows, as many as this server gives.*jd or candid"):
                assert len(archive.sql("SELECT candid FROM alerts")) == 100
            with pytest.raises(
                QueryStopped, match=r"after (0\.[789]|\d\.\d) s: max_statement_time.*condition on a key"
            ):
                archive.sql("SELECT SLEEP(10) FROM alerts")
            with pytest.raises(QueryStopped, match="None of its rows are returned.*shorter range"):
                archive.sql("SELECT SLEEP(10) FROM alerts WHERE jd > 0")
        finally:
            connection.exec_driver_sql("SET GLOBAL max_statement_time = 0, GLOBAL sql_select_limit = DEFAULT")


def test_what_an_archive_says_of_itself_when_nobody_answers(tmp_path: Path) -> None:
    assert "There is no archive" in repr(Archive(Config(home=tmp_path)))


def test_connect_takes_a_url(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = PrivateServer(config.home).socket
    monkeypatch.setenv("ALERTDB_HOME", str(config.home))
    archive = alertdb.connect(f"mariadb:///ztf_public?unix_socket={socket}")
    assert archive.sql("SELECT DATABASE() AS d")["d"].tolist() == ["ztf_public"]
    archive.close()
    assert alertdb.connect().sql("SELECT DATABASE() AS d")["d"].tolist() == ["ztf"]


def test_import_is_light() -> None:
    """What the command line imports before it knows what it is to do."""
    heavy = "('pandas', 'numpy', 'astropy', 'matplotlib', 'pyarrow', 'sqlalchemy', 'mariadb', 'rich.table')"
    code = f"import alertdb, alertdb.cli.main, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
