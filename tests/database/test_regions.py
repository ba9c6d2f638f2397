"""Polygons and coverage maps against half-spaces, mocpy and all positions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pytest
from archives import empty_tables, load
from astropy.coordinates import SkyCoord
from mocpy import MOC

from alertdb.archive import Archive
from alertdb.position_errors import MocUnusable, PolygonUnusable, PositionUnusable
from alertdb.regions import inside_polygon
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from alertdb.config import Config

CENTRES = {"equator": (200.0, 5.0), "across RA 0": (0.2, 3.0), "north pole": (33.0, 89.0), "far south": (90.0, -86.0)}


@pytest.fixture(scope="module")
def archive(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    empty_tables(server_config)
    load(server_config, *simulate_nights([20240101, 20240102], 300, tmp_path_factory.mktemp("nights"), seed=6))
    with Archive(server_config) as archive:
        yield archive


@pytest.fixture(scope="module")
def alerts(archive: Archive) -> pd.DataFrame:
    return archive.sql("SELECT candid, jd, ra, `dec` FROM alerts")


def around(centre: tuple[float, float], angles: Any, radius: float) -> SkyCoord:
    """Vertices around a place, in degrees."""
    place = SkyCoord(*centre, unit="deg")
    return place.directional_offset_by(np.asarray(angles) * u.deg, radius * u.deg)


def in_half_spaces(frame: pd.DataFrame, vertices: SkyCoord) -> Any:
    """Whether places are on the same side of all sides of a convex polygon."""
    corners = vertices.cartesian.xyz.value.T
    normals = np.cross(corners, np.roll(corners, -1, axis=0))
    places = SkyCoord(frame["ra"].to_numpy(), frame["dec"].to_numpy(), unit="deg").cartesian.xyz.value.T
    sides = places @ normals.T
    return (sides > 0).all(axis=1) | (sides < 0).all(axis=1)


@pytest.mark.parametrize("centre", CENTRES.values(), ids=CENTRES)
@pytest.mark.parametrize("radius", [12.0, 40.0])
def test_convex_polygons(archive: Archive, alerts: pd.DataFrame, centre: tuple[float, float], radius: float) -> None:
    for angles in ([0, 120, 240], [10, 80, 190, 250, 300], [300, 190, 80]):
        vertices = around(centre, angles, radius)
        expected = alerts[
            in_half_spaces(alerts, vertices)
            & (
                SkyCoord(*centre, unit="deg")
                .separation(SkyCoord(alerts["ra"].to_numpy(), alerts["dec"].to_numpy(), unit="deg"))
                .deg
                < 90
            )
        ]
        found = archive.polygon(vertices)
        assert sorted(found["candid"]) == sorted(expected["candid"])
        assert found["jd"].is_monotonic_increasing
    assert radius < 20 or len(found) > 0


def test_a_polygon_with_a_bay(archive: Archive, alerts: pd.DataFrame) -> None:
    """A star of two squares' corners: in it is what mocpy's finest pixels say, but for those on the edge."""
    vertices = around((180.0, 30.0), [0, 45, 90, 135, 180, 225, 270, 315], 1.0)
    radii = [30, 8] * 4
    star = SkyCoord([around((180.0, 30.0), [45 * k], radius)[0] for k, radius in enumerate(radii)])
    assert len(vertices) == len(star)
    places = alerts["ra"].to_numpy() * u.deg, alerts["dec"].to_numpy() * u.deg
    outer = MOC.from_polygon_skycoord(star, max_depth=11)
    edge = outer.add_neighbours().contains_lonlat(*places) & ~outer.remove_neighbours().contains_lonlat(*places)
    sure = alerts[outer.contains_lonlat(*places) & ~edge]["candid"]
    never = alerts[~outer.contains_lonlat(*places) & ~edge]["candid"]
    found = set(archive.polygon(star)["candid"])
    assert found >= set(sure)
    assert not found & set(never)
    assert len(sure) > 3


def test_inside_is_inside_whichever_way_the_vertices_go() -> None:
    square = np.array([359.0, 1.0, 1.0, 359.0]), np.array([-1.0, -1.0, 1.0, 1.0])
    places = np.array([0.0, 0.99, 1.01, 180.0]), np.array([0.0, 0.99, 0.0, 5.0])
    for step in (1, -1):
        corners = square[0][::step], square[1][::step]
        assert inside_polygon(*places, *corners).tolist() == [True, True, False, False]


@pytest.mark.parametrize("string", ["3/100-180", "0/4 2/7 5/900-1900", "9/0-300000"])
def test_coverage_maps(archive: Archive, alerts: pd.DataFrame, tmp_path: Path, string: str) -> None:
    moc = MOC.from_string(string)
    inside = moc.contains_lonlat(alerts["ra"].to_numpy() * u.deg, alerts["dec"].to_numpy() * u.deg)
    expected = sorted(alerts[inside]["candid"])
    assert sorted(archive.moc(moc)["candid"]) == expected != []
    moc.save(tmp_path / "moc.fits", format="fits")
    assert sorted(archive.moc(tmp_path / "moc.fits")["candid"]) == expected
    assert sorted(archive.moc(str(tmp_path / "moc.fits"))["candid"]) == expected


def test_columns_and_times(archive: Archive, alerts: pd.DataFrame) -> None:
    whole = MOC.from_string("0/0-11")
    middle = float(alerts["jd"].median())
    found = archive.moc(whole, columns=["candid", "fid"], after=middle)
    assert list(found) == ["candid", "fid"]
    assert sorted(found["candid"]) == sorted(alerts[alerts["jd"] >= middle]["candid"])
    assert archive.moc(MOC.new_empty(5)).empty


@pytest.mark.parametrize(
    ("vertices", "error"),
    [
        ([(0.0, 0.0), (1.0, 1.0)], PolygonUnusable),
        ([(0.0, 0.0), (120.0, 0.0), (240.0, 0.0)], PolygonUnusable),
        ([(10.0, 10.0)] * 3, PolygonUnusable),
        ([1, 2, 3, 4], PositionUnusable),
    ],
)
def test_what_is_no_polygon(archive: Archive, vertices: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        archive.polygon(vertices)


@pytest.mark.parametrize("moc", ["nowhere.fits", 7, None])
def test_what_is_no_coverage_map(archive: Archive, moc: Any) -> None:
    with pytest.raises(MocUnusable, match="is no MOC"):
        archive.moc(moc)


def test_a_file_that_is_no_coverage_map(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "x.fits").write_bytes(b"rubbish")
    with pytest.raises(MocUnusable, match="is no MOC"):
        archive.moc(tmp_path / "x.fits")
