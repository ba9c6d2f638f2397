"""Positions, radii and times as people write them, held against astropy; pixels around positions by brute force."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Angle, Latitude, Longitude, SkyCoord
from astropy.time import Time
from cdshealpix import nested

from alertdb.cones import NARROWEST, SMALL_ARCSEC, _neighbourhoods
from alertdb.errors import AlertdbError, AngleUnusable, ConeUnusable
from alertdb.position_errors import PositionUnusable, RadiusUnusable, TimeUnusable
from alertdb.positions import Positions, parse_jd, parse_positions, parse_radius
from alertdb.sky import MARGIN_ARCSEC, PIXEL_ARCSEC

PLACE = SkyCoord("12h34m56.7s -20d11m02s")


@pytest.mark.parametrize(
    "position",
    [
        (PLACE.ra.deg, PLACE.dec.deg),
        [PLACE.ra.deg, PLACE.dec.deg],
        (np.float64(PLACE.ra.deg), np.float64(PLACE.dec.deg)),
        (PLACE.ra, PLACE.dec),
        (PLACE.ra.rad * u.rad, PLACE.dec.arcsec * u.arcsec),
        (Angle(PLACE.ra.hour, u.hourangle), PLACE.dec),
        ("12:34:56.7", "-20:11:02"),
        "12:34:56.7 -20:11:02",
        "12h34m56.7s -20d11m02s",
        "12 34 56.7 -20 11 02",
        "12 34 56.7, -20 11 02",
        f"{PLACE.ra.deg} {PLACE.dec.deg}",
        f"{PLACE.ra.deg}, {PLACE.dec.deg}",
        PLACE,
        PLACE.galactic,
    ],
)
def test_one_position(position: Any) -> None:
    found = parse_positions(position)
    assert not found.are_many
    assert SkyCoord(found.ra * u.deg, found.dec * u.deg).separation(PLACE).arcsec[0] < 1e-6


MANY = SkyCoord([0.0, 359.5, 10.25] * u.deg, [-90.0, 89.5, 0.0] * u.deg)
PAIRS = list(zip(MANY.ra.deg.tolist(), MANY.dec.deg.tolist(), strict=True))


@pytest.mark.parametrize(
    "positions",
    [
        PAIRS,
        [PAIRS[0], MANY[1], "10.25 0"],
        np.array(PAIRS),
        (MANY.ra.deg, MANY.dec.deg),
        (MANY.ra.deg.tolist(), MANY.dec.deg.tolist()),
        (MANY.ra, MANY.dec),
        MANY,
        list(MANY),
    ],
)
def test_many_positions(positions: Any) -> None:
    found = parse_positions(positions)
    assert found.are_many
    assert found.ra.tolist() == pytest.approx(MANY.ra.deg.tolist())
    assert found.dec.tolist() == pytest.approx(MANY.dec.deg.tolist())


def test_a_list_of_one_and_of_two_positions() -> None:
    assert parse_positions([(1.0, 2.0)]).are_many
    assert parse_positions([(1.0, 2.0), (3.0, 4.0)]).dec.tolist() == [2.0, 4.0]
    assert parse_positions(("1 2", "3 4")).ra.tolist() == [1.0, 3.0]
    assert parse_positions([]).ra.shape == (0,)
    assert parse_positions((360.0, 0.0)).ra.tolist() == [0.0]


@pytest.mark.parametrize(
    ("position", "kind"),
    [
        ("nonsense", PositionUnusable),
        ("12:34:56", PositionUnusable),
        ("a b", PositionUnusable),
        ("", PositionUnusable),
        (7, PositionUnusable),
        (None, PositionUnusable),
        ([[(1.0, 2.0)]], PositionUnusable),
        (("noon", 2.0), AngleUnusable),
        ((1.0, None), AngleUnusable),
        ((1 * u.s, 2 * u.deg), AngleUnusable),
        ((1.0, 90.001), ConeUnusable),
        ((-0.001, 0.0), ConeUnusable),
        ((float("nan"), 0.0), ConeUnusable),
        ((1.0, float("inf")), ConeUnusable),
        ([(1.0, 2.0), (1.0, 91.0)], ConeUnusable),
    ],
)
def test_what_is_no_position(position: Any, kind: type[AlertdbError]) -> None:
    with pytest.raises(kind) as caught:
        parse_positions(position)
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize("radius", [5, 5.0, np.float32(5), "5 arcsec", '5"', 5 * u.arcsec, "0.0013888888888888889d"])
def test_radii(radius: Any) -> None:
    assert parse_radius(radius) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("radius", "kind"),
    [
        (0, ConeUnusable),
        (-1, ConeUnusable),
        (float("nan"), ConeUnusable),
        ("11 deg", ConeUnusable),
        ("wide", RadiusUnusable),
        (None, RadiusUnusable),
        (True, RadiusUnusable),
        (5 * u.s, RadiusUnusable),
    ],
)
def test_what_is_no_radius(radius: Any, kind: type[AlertdbError]) -> None:
    with pytest.raises(kind, match="expected"):
        parse_radius(radius)


def test_times() -> None:
    jd = Time("2024-01-10 12:00").jd
    assert jd == 2460320.0
    for time in (jd, 2460320, "2024-01-10 12:00", datetime(2024, 1, 10, 12, tzinfo=UTC), Time(jd, format="jd")):
        assert parse_jd(time) == jd
    assert parse_jd(None) is None
    with pytest.raises(TimeUnusable, match="'soon' is no time; expected a Julian date"):
        parse_jd("soon")


@pytest.mark.parametrize("order", [11, 14, 17, 25])
def test_nine_pixels_cover_the_largest_cone_that_they_are_taken_for(order: int) -> None:
    """Everywhere: also at the poles, in the corners of the base pixels, and across RA 0."""
    dice = np.random.default_rng(order)
    radius = NARROWEST * PIXEL_ARCSEC / 2**order
    ra, dec = dice.uniform(0, 360, 20_000), np.degrees(np.arcsin(dice.uniform(-1, 1, 20_000)))
    dec[:4000] = np.copysign(90 - dice.uniform(0, 30, 4000) * dice.random(4000) ** 4, dec[:4000])
    ra[4000:5000] = 0.0
    ra[5000:6000] = 45.0
    centres = SkyCoord(ra * u.deg, dec * u.deg)
    rim = centres.directional_offset_by(dice.uniform(0, 360, 20_000) * u.deg, radius * u.arcsec)
    pixels = nested.lonlat_to_healpix(Longitude(rim.ra), Latitude(rim.dec), order).astype(np.int64)
    around = _neighbourhoods(Positions(ra, dec, are_many=True), order)
    assert (around == pixels[:, None]).any(axis=1).all()


def test_small_cones_fit_the_coarsest_pixels() -> None:
    assert NARROWEST * PIXEL_ARCSEC / (SMALL_ARCSEC + MARGIN_ARCSEC) > 1
