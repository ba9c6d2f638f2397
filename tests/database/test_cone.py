"""Cones where coordinates are awkward: across RA 0, at high declinations and at the poles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import Latitude, Longitude, SkyCoord
from astropy.table import Table
from cdshealpix import nested
from sqlalchemy import text

from alertdb.archive import Archive
from alertdb.database import Account, connect
from alertdb.errors import AngleUnusable, ConeUnusable, UnknownColumn, UnknownObject
from alertdb.position_errors import NoPositions, RadiusUnusable

if TYPE_CHECKING:
    from alertdb.config import Config

PLACES = [(0.0, 0.0), (0.0, 89.99999), (180.0, -89.99999), (0.0, 90.0), (33.0, -90.0), (0.0, 85.0), (0.0, 62.0)]
FIELDS = "objectId, jd, fid, programid, candid, ra, `dec`, hpx29, tarball"


@pytest.mark.parametrize(("ra", "dec"), PLACES)
def test_four_alerts_around_a_place(archive: Config, ra: float, dec: float) -> None:
    distance = 3.0
    around = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by([0, 90, 180, 270] * u.deg, distance * u.arcsec)
    pixels = nested.lonlat_to_healpix(Longitude(around.ra), Latitude(around.dec), 29)
    with connect(archive, Account.LOADER) as connection:
        for number in range(4):
            place = f"{float(around.ra.deg[number])!r}, {float(around.dec.deg[number])!r}, {pixels[number]}"
            connection.exec_driver_sql(f"INSERT INTO alerts ({FIELDS}) VALUES ('x', 1, 1, 1, {number}, {place}, 1)")
        connection.commit()
    reading = Archive(archive)
    found = reading.cone((ra, dec), 1.0001 * distance)
    assert sorted(found["candid"]) == [0, 1, 2, 3]
    assert found["distance_arcsec"].to_numpy() == pytest.approx(distance, rel=1e-5)
    assert reading.cone((ra, dec), 0.9999 * distance).empty
    reading.close()


def test_an_empty_archive(archive: Config) -> None:
    reading = Archive(archive)
    assert repr(reading).startswith(f"<Archive ztf in {archive.home}: no alerts yet\n")
    assert reading.cone((1.0, 2.0), 5.0).empty
    assert reading.cone(("12:34:56.7", "-20:11:02"), 5).empty
    with pytest.raises(AngleUnusable, match="expected such as"):
        reading.cone(("noon", 2.0), 5.0)
    with pytest.raises(AngleUnusable, match="declination"):
        reading.cone((1.0, None), 5.0)
    with pytest.raises(RadiusUnusable, match="'x' is no radius"):
        reading.cone((1.0, 2.0), "x")
    reading.close()


CENTRES = [(0.0, 0.0), (359.9999, 0.0), (180.0, 89.9999), (7.0, -89.9999), (45.0, 41.81), (123.4, 84.0), (45.0, 0.0)]


@pytest.fixture
def sky(archive: Config) -> pd.DataFrame:
    """Alerts within 20 arcsec around places; two each of an object."""
    dice = np.random.default_rng(5)
    parts = []
    for ra, dec in CENTRES:
        around = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(
            dice.uniform(0, 360, 60) * u.deg, dice.uniform(0, 20, 60) * u.arcsec
        )
        parts.append(pd.DataFrame({"ra": around.ra.deg, "dec": around.dec.deg}))
    rows = pd.concat(parts, ignore_index=True)
    rows["candid"] = np.arange(len(rows))
    rows["jd"] = 2460000.5 + dice.integers(0, 10, len(rows))
    rows["objectId"] = [f"ZTF24aaaaaa{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in rows.index // 2]
    rows["hpx29"] = nested.lonlat_to_healpix(
        Longitude(rows["ra"].to_numpy() * u.deg), Latitude(rows["dec"].to_numpy() * u.deg), 29
    ).astype(np.int64)
    with connect(archive, Account.LOADER) as connection:
        connection.execute(
            text(
                "INSERT INTO alerts (objectId, jd, fid, programid, candid, ra, `dec`, hpx29, tarball) "
                "VALUES (:objectId, :jd, 1, 1, :candid, :ra, :dec, :hpx29, 1)"
            ),
            [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")],
        )
        connection.commit()
    return rows


def expected_pairs(rows: pd.DataFrame, radius: float) -> dict[tuple[int, int], float]:
    """Which alert is around which centre, and how far, by astropy."""
    alerts = SkyCoord(rows["ra"].to_numpy() * u.deg, rows["dec"].to_numpy() * u.deg)
    pairs: dict[tuple[int, int], float] = {}
    for number, (ra, dec) in enumerate(CENTRES):
        distance = alerts.separation(SkyCoord(ra * u.deg, dec * u.deg)).arcsec
        pairs |= {(number, candid): distance[candid] for candid in np.flatnonzero(distance <= radius).tolist()}
    return pairs


@pytest.mark.parametrize("radius", [0.5, 2.0, 10.0, 59.9, 60.1, 400.0])
def test_many_cones_in_one_call(archive: Config, sky: pd.DataFrame, radius: float, monkeypatch: Any) -> None:
    monkeypatch.setattr("alertdb.cones.RANGES_PER_QUERY", 5)
    expected = expected_pairs(sky, radius)
    with Archive(archive) as reading:
        found = reading.cone(CENTRES, radius)
        pairs = dict(zip(zip(found["position"], found["candid"], strict=True), found["distance_arcsec"], strict=True))
        assert pairs == pytest.approx(expected, rel=1e-9, abs=1e-7)
        assert len(pairs) == len(found)
        assert found["position"].is_monotonic_increasing
        for number, position in enumerate(CENTRES):
            one = reading.cone(position, radius)
            assert "position" not in one.columns
            assert one["candid"].tolist() == found.loc[found["position"] == number, "candid"].tolist()
        assert reading.cone([], radius).empty


def test_columns_and_time_window_of_a_cone(archive: Config, sky: pd.DataFrame) -> None:
    with Archive(archive) as reading:
        found = reading.cone((0, 0), 30, columns=["candid", "jd"], after=2460002.5, before="2023-03-02")
        assert list(found.columns) == ["distance_arcsec", "candid", "jd"]
        near = [candid for number, candid in expected_pairs(sky, 30) if number == 0]
        inside = sky[sky["candid"].isin(near) & (sky["jd"] >= 2460002.5) & (sky["jd"] < 2460005.5)]
        assert sorted(found["candid"]) == sorted(inside["candid"])
        with pytest.raises(UnknownColumn, match="'magspf'.*magpsf"):
            reading.cone((0, 0), 30, columns=["magspf"])
        name = sky["objectId"].iloc[0]
        mean = reading.object(name).summary
        at_object, at_place = (
            reading.cone(place, 5)["candid"].tolist() for place in (name, (mean["ra_mean"], mean["dec_mean"]))
        )
        assert at_object == at_place != []
        with pytest.raises(UnknownObject):
            reading.cone("ZTF99aaaaaaa", 5)


@pytest.mark.parametrize("kind", ["pandas", "astropy", "hours", "named"])
def test_crossmatch_joins_rows_with_alerts(archive: Config, sky: pd.DataFrame, kind: str) -> None:
    mine = pd.DataFrame(CENTRES, columns=["ra", "dec"], index=list("abcdefg")).assign(candid=-1, label=list("ABCDEFG"))
    table: Any = mine
    options: dict[str, Any] = {}
    if kind in ("astropy", "hours"):
        table = Table.from_pandas(mine)
        table["ra"].unit = table["dec"].unit = u.deg
        if kind == "hours":
            table["ra"] = Longitude(table["ra"]).to(u.hourangle)
    elif kind == "named":
        table, options = mine.rename(columns={"ra": "x", "dec": "y"}), {"ra": "x", "dec": "y"}
    expected = expected_pairs(sky, 10.0)
    with Archive(archive) as reading:
        found = reading.crossmatch(table, 10, **options)
        pairs = zip(zip(found["label"], found["candid_alert"], strict=True), found["distance_arcsec"], strict=True)
        assert dict(pairs) == pytest.approx({("ABCDEFG"[n], c): d for (n, c), d in expected.items()}, abs=1e-6)
        assert set(found["candid"]) == {-1}
        by_object = reading.crossmatch(table, 10, objects=True, columns=["candid"], **options)
    counts = pd.Series([(number, sky["objectId"][candid]) for number, candid in expected]).value_counts()
    shown = zip(by_object["label"].map("ABCDEFG".index), by_object["objectId"], strict=True)
    assert dict(zip(shown, by_object["nalerts"], strict=True)) == counts.to_dict()


def test_tables_that_cannot_be_matched(archive: Config) -> None:
    with Archive(archive) as reading:
        with pytest.raises(NoPositions, match="no columns ra and dec.*its columns are x, y"):
            reading.crossmatch(pd.DataFrame({"x": [1.0], "y": [2.0]}), 2)
        with pytest.raises(NoPositions, match="no columns x and dec"):
            reading.crossmatch(pd.DataFrame({"x": [1.0], "y": [2.0]}), 2, ra="x")
        with pytest.raises(ConeUnusable, match="declination of position 1 .*nan"):
            reading.crossmatch(pd.DataFrame({"ra": [1.0, 2.0], "dec": [1.0, float("nan")]}), 2)
        with pytest.raises(ConeUnusable, match="radius"):
            reading.crossmatch(pd.DataFrame({"ra": [1.0], "dec": [1.0]}), 0)
        assert reading.crossmatch(pd.DataFrame({"ra": [], "dec": []}), 2).empty
