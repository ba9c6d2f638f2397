from __future__ import annotations

import astropy.units as u
import cdshealpix
import numpy as np
import numpy.typing as npt
import pytest
from astropy.coordinates import Angle, Latitude, Longitude, SkyCoord

from alertdb.errors import AngleUnusable, ConeUnusable
from alertdb.sky import cone_ranges, parse_angle, separation_arcsec

PLACES = [
    (180.0, 10.0),
    (0.0, 0.0),
    (359.9999999, 60.0),
    (0.0000001, 75.0),
    (123.4, 89.0),
    (10.0, 89.9999),
    (200.0, 90.0),
    (77.0, -90.0),
    (45.0, 41.8103149),  # a corner of the pixels of order 0
    (359.99, -30.0),
]
RADII = [0.001, 0.5, 5.0, 60.0, 3600.0, 36000.0]

Floats = npt.NDArray[np.float64]


def points_around(ra: float, dec: float, radius: float) -> tuple[Floats, Floats]:
    """Places in and just outside a cone, made with astropy."""
    dice = np.random.default_rng(7)
    distances = np.concatenate([radius * np.sqrt(dice.random(300)), radius * np.array([0, 0.999999, 1.000001, 1.5])])
    angles = dice.random(len(distances)) * 360
    around = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(angles * u.deg, distances * u.arcsec)
    return np.asarray(around.ra.deg), np.asarray(around.dec.deg)


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize(("ra", "dec"), PLACES)
def test_ranges_hold_all_that_is_in_the_cone(ra: float, dec: float, radius: float) -> None:
    ranges = cone_ranges(ra, dec, radius)
    others_ra, others_dec = points_around(ra, dec, radius)
    distance = SkyCoord(ra * u.deg, dec * u.deg).separation(SkyCoord(others_ra * u.deg, others_dec * u.deg)).arcsec
    pixels = cdshealpix.nested.lonlat_to_healpix(Longitude(others_ra * u.deg), Latitude(others_dec * u.deg), 29)
    inside = np.zeros(len(pixels), dtype=bool)
    for first, last in ranges:
        inside |= (pixels >= first) & (pixels <= last)
    assert inside[distance <= radius].all()
    assert len(ranges) < 200


@pytest.mark.parametrize("radius", [5.0, 3600.0])
def test_ranges_hold_little_more_than_the_cone(radius: float) -> None:
    pixels = sum(last - first + 1 for first, last in cone_ranges(180.0, 60.0, radius))
    area = pixels * 4 * np.pi / (12 * 4**29)
    assert area < 2 * np.pi * np.radians(radius / 3600) ** 2


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize(("ra", "dec"), PLACES)
def test_distances_are_those_of_astropy(ra: float, dec: float, radius: float) -> None:
    others_ra, others_dec = points_around(ra, dec, radius)
    expected = SkyCoord(ra * u.deg, dec * u.deg).separation(SkyCoord(others_ra * u.deg, others_dec * u.deg)).arcsec
    np.testing.assert_allclose(separation_arcsec(ra, dec, others_ra, others_dec), expected, rtol=1e-9, atol=1e-9)


def test_the_other_side_of_the_sky() -> None:
    assert separation_arcsec(10.0, 20.0, np.array([190.0]), np.array([-20.0]))[0] == pytest.approx(180 * 3600)


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "what"),
    [
        (-0.1, 0, 1, "right ascension is -0.1"),
        (360.1, 0, 1, "right ascension is 360.1; expected from 0 up to 360"),
        (0, 90.1, 1, "declination is 90.1"),
        (float("nan"), 0, 1, "right ascension is nan"),
        (0, 0, 0, "radius in arcsec is 0; expected over 0"),
        (0, 0, -1, "radius in arcsec is -1"),
        (0, 0, 36001, "radius in arcsec is 36001.*36000"),
        (0, 0, float("inf"), "radius in arcsec is inf"),
    ],
)
def test_bounds_are_checked(ra: float, dec: float, radius: float, what: str) -> None:
    with pytest.raises(ConeUnusable, match=what):
        cone_ranges(ra, dec, radius)


@pytest.mark.parametrize(
    "text", ["12:34:56.7", "12h34m56.7s", "12 34 56.7", "0:0:0.01", "23:59:59.999", "12:34", "12h34m", " 1:02:03 "]
)
def test_right_ascensions_are_those_of_astropy(text: str) -> None:
    assert parse_angle(text, hours=True) == pytest.approx(Angle(text.strip(), unit=u.hourangle).deg, abs=1e-12)


@pytest.mark.parametrize(
    "text", ["-20:11:02", "+20:11:02.5", "-0:00:30", "-00d11m02s", "89:59:59.9", "-20 11 02", "20:11"]
)
def test_declinations_are_those_of_astropy(text: str) -> None:
    assert parse_angle(text, hours=False) == pytest.approx(Angle(text, unit=u.deg).deg, abs=1e-12)


def test_decimal_degrees_are_degrees_for_both() -> None:
    assert parse_angle("188.7", hours=True) == 188.7
    assert parse_angle("-1.5e1", hours=False) == -15.0


@pytest.mark.parametrize("text", ["", "x", "12:60:00", "12:00:60", "1:2:3:4", "nan", "inf", "12::1", "--1", "1,5"])
def test_what_is_no_angle(text: str) -> None:
    with pytest.raises(AngleUnusable, match="expected such as"):
        parse_angle(text, hours=True)
