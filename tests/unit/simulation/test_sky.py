from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from ingest.simulation.sky import COLUMNS, ROWS, fields, offset, to_pixels, to_sky, unit_vectors


def pixels(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    field = rng.choice(fields().observed, count)
    field[:4] = [len(fields().ra) - 1, 0, *fields().observed[np.argsort(fields().ra[fields().observed])][:2]]
    return (
        field,
        rng.integers(0, 64, count),
        rng.uniform(5, COLUMNS - 5, count),
        rng.uniform(5, ROWS - 5, count),
    )


def test_sky_and_pixels_are_inverse() -> None:
    field, rcid, x, y = pixels(500)
    ra, dec = to_sky(field, rcid, x, y)
    back, bx, by = to_pixels(field, unit_vectors(ra, dec))
    assert np.array_equal(back, rcid)
    # Positions are rounded to 1e-7 degrees, which is 0.0004 pixels.
    np.testing.assert_allclose(bx, x, atol=0.001)
    np.testing.assert_allclose(by, y, atol=0.001)


def test_the_projection_is_astropy_s_tangent_plane() -> None:
    field, rcid, x, y = pixels(60)
    ra, dec = to_sky(field, rcid, x, y)
    for i in range(len(field)):
        plane = WCS(naxis=2)
        plane.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        plane.wcs.crval = [fields().ra[field[i]], fields().dec[field[i]]]
        plane.wcs.lonpole = 180  # north is up at the pole too
        plane.wcs.cdelt = [-1.01 / 3600, 1.01 / 3600]
        west, north = plane.wcs_world2pix([[ra[i], dec[i]]], 0)[0] + 1
        detector, quadrant = divmod(int(rcid[i]), 4)
        column, row = 2 * (detector % 4) + quadrant % 2, 2 * (detector // 4) + quadrant // 2
        assert west == pytest.approx((column - 4) * COLUMNS + x[i], abs=0.001)
        assert north == pytest.approx((row - 4) * ROWS + y[i], abs=0.001)


@pytest.mark.parametrize(("ra", "dec"), [(10.0, 20.0), (359.9999, -5.0), (0.0, 89.9999), (77.0, -89.9), (1.0, 60.0)])
def test_offsets_are_great_circles(ra: float, dec: float) -> None:
    distance, angle = np.array([3.0, 17.0, 29.0]), np.array([0.3, 2.0, 5.5])
    there = SkyCoord(*offset(np.full(3, ra), np.full(3, dec), distance, angle), unit="deg")
    here = SkyCoord(ra, dec, unit="deg")
    np.testing.assert_allclose(here.separation(there).arcsec, distance, atol=0.001)
    if abs(dec) < 89:
        np.testing.assert_allclose(here.position_angle(there).rad, angle, atol=0.001)


def test_fields_cover_the_northern_sky_once_or_a_little_more() -> None:
    grid = fields()
    assert 550 < len(grid.observed) < 700
    assert grid.dec[grid.observed].max() == 90.0
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 400), np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(-30)), 1, 400)))
    distance = np.degrees(np.arccos(np.clip(unit_vectors(ra, dec) @ grid.vectors().T, -1, 1))).min(axis=1)
    assert distance.max() < 3.6 * np.sqrt(2) + 0.3
