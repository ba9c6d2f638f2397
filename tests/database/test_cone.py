"""Cones where coordinates are awkward: across RA 0, at high declinations and at the poles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import astropy.units as u
import pytest
from astropy.coordinates import Latitude, Longitude, SkyCoord
from cdshealpix import nested

from alertdb.archive import Archive
from alertdb.database import Account, connect
from alertdb.errors import AngleUnusable, ConeUnusable

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
    found = reading.cone(ra, dec, 1.0001 * distance)
    assert sorted(found["candid"]) == [0, 1, 2, 3]
    assert found["distance_arcsec"].to_numpy() == pytest.approx(distance, rel=1e-5)
    assert reading.cone(ra, dec, 0.9999 * distance).empty
    reading.close()


def test_an_empty_archive(archive: Config) -> None:
    reading = Archive(archive)
    assert repr(reading) == f"<Archive ztf in {archive.home}: no alerts yet>"
    assert reading.cone(1.0, 2.0, 5.0).empty
    assert reading.cone("12:34:56.7", "-20:11:02", 5).empty
    with pytest.raises(AngleUnusable, match="expected such as"):
        reading.cone("noon", 2.0, 5.0)
    with pytest.raises(AngleUnusable, match="declination"):
        reading.cone(1.0, None, 5.0)  # type: ignore[arg-type]
    with pytest.raises(ConeUnusable, match="radius"):
        reading.cone(1.0, 2.0, "x")  # type: ignore[arg-type]
    reading.close()
