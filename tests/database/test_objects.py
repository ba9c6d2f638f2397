"""Objects and thumbnails as notebooks show them, against the packets."""

from __future__ import annotations

import gzip
import io
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from archives import empty_tables, load
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from PIL import Image
from plain import read_packets

from alertdb.archive import Archive
from alertdb.errors import BadPercentiles, BadStretch, UnknownCandid
from alertdb.gallery import Gallery
from alertdb.picture_errors import NothingToShow
from alertdb.thumbnail import Thumbnail
from alertdb.thumbnails.document import build_document
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plain import Row

    from alertdb.config import Config


@pytest.fixture(scope="module")
def tarballs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights(range(20240101, 20240107), 30, tmp_path_factory.mktemp("nights"), seed=3, schema="4.02")


@pytest.fixture(scope="module")
def packets(tarballs: list[Path]) -> list[Row]:
    return [packet for path in tarballs for packet in read_packets(path)]


@pytest.fixture(scope="module")
def config(server_config: Config, tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    empty_tables(server_config)
    config = replace(server_config, thumbnails_url=tmp_path_factory.mktemp("thumbnails").as_uri())
    load(config, *tarballs)
    return config


@pytest.fixture
def archive(config: Config) -> Iterator[Archive]:
    with Archive(config) as archive:
        yield archive


@pytest.fixture(scope="module")
def busiest(packets: list[Row]) -> str:
    """The object with most alerts."""
    return str(pd.Series([packet["objectId"] for packet in packets]).value_counts().index[0])


@pytest.fixture(scope="module")
def lonely(packets: list[Row]) -> str:
    """An object with a single alert."""
    counts = pd.Series([packet["objectId"] for packet in packets]).value_counts()
    return str(counts[counts == 1].index[0])


def unit_of(packet: Row, kind: str) -> Any:
    """The FITS unit of a cutout; astropy warns of the form of its first card."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VerifyWarning)
        content = gzip.decompress(packet[f"cutout{kind.capitalize()}"]["stampData"])
        with fits.open(io.BytesIO(content), lazy_load_hdus=False, memmap=False) as units:
            return units[0].copy()


def image_of(packet: Row, kind: str) -> Any:
    return unit_of(packet, kind).data


def test_an_object_has_all_that_is_known_of_it(archive: Archive, packets: list[Row], busiest: str) -> None:
    own = sorted((p for p in packets if p["objectId"] == busiest), key=lambda p: p["candidate"]["jd"])
    thing = archive.object(busiest)
    candids = [packet["candid"] for packet in own]
    assert thing.summary["nobs"] == len(own) > 1
    assert thing.alerts["candid"].tolist() == candids
    assert list(thing.thumbnails) == candids
    assert thing.latest.candid == candids[-1]
    assert set(thing.lightcurve["kind"]) >= {"alert", "limit"}
    assert thing.position.ra.deg == pytest.approx(np.mean([p["candidate"]["ra"] for p in own]), abs=1e-4)
    assert repr(thing).endswith(f": {len(own)} alerts>")


def test_the_source_of_the_reference_is_that_of_the_packet(archive: Archive, packets: list[Row]) -> None:
    names = ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr")
    frame = archive.lightcurve([p["objectId"] for p in packets], reference=True)
    alerts = frame[frame["kind"] == "alert"].set_index("candid")
    assert len(alerts) == len(packets)
    for packet in packets:
        expected = [
            np.nan if packet["candidate"][name] in (None, -999.0) else packet["candidate"][name] for name in names
        ]
        np.testing.assert_array_equal(alerts.loc[packet["candid"], list(names)].to_numpy(float), expected)
    history = frame[frame["kind"] == "history"]
    assert len(history) > 0
    assert history["magnr"].notna().all()
    assert frame[frame["kind"] == "limit"]["magnr"].isna().all()


def test_html_of_an_object(archive: Archive, busiest: str, lonely: str) -> None:
    for name in (busiest, lonely):
        page = archive.object(name)._repr_html_()
        assert page.count('<img src="data:image/png;base64,iVBOR') == 2
        assert name in page
        for site in ("wis-tns.org", "simbad.cds.unistra.fr", "fink-portal.org", "alerce.online"):
            assert f"{site}/" in page


def test_html_without_thumbnails_says_why(config: Config, tmp_path: Path, lonely: str) -> None:
    with Archive(replace(config, thumbnails_url=(tmp_path / "nothing").as_uri())) as archive:
        page = archive.object(lonely)._repr_html_()
    assert "No thumbnails: " in page
    assert page.count("<img") == 1


def test_links_lead_to_the_place_and_the_name(archive: Archive, lonely: str, packets: list[Row]) -> None:
    (packet,) = [packet for packet in packets if packet["objectId"] == lonely]
    links = archive.object(lonely).links
    tns = parse_qs(urlsplit(links["TNS"]).query)
    assert float(tns["ra"][0]) == pytest.approx(packet["candidate"]["ra"], abs=1e-6)
    assert float(tns["decl"][0]) == pytest.approx(packet["candidate"]["dec"], abs=1e-6)
    ra, dec = parse_qs(urlsplit(links["SIMBAD"]).query)["Coord"][0].split()
    assert (float(ra), float(dec)) == pytest.approx((packet["candidate"]["ra"], packet["candidate"]["dec"]), abs=1e-6)
    assert links["Fink"].endswith(f"/{lonely}")
    assert links["ALeRCE"].endswith(f"/{lonely}")


def test_one_thumbnail(archive: Archive, packets: list[Row]) -> None:
    packet = packets[0]
    found = archive.thumbnail(packet["candid"])
    for kind in ("science", "template", "difference"):
        np.testing.assert_array_equal(found[kind], image_of(packet, kind))
        np.testing.assert_array_equal(getattr(found, kind), image_of(packet, kind))
    sizes = "science 63 x 63, template 63 x 63, difference 63 x 63"
    assert repr(found) == f"<Thumbnail of candid {packet['candid']}: {sizes}>"
    with pytest.raises(UnknownCandid):
        archive.thumbnail(7)


def test_units_of_fits_keep_the_header_of_the_packet(archive: Archive, packets: list[Row], tmp_path: Path) -> None:
    packet = packets[0]
    archive.thumbnail(packet["candid"]).hdus().writeto(tmp_path / "x.fits")
    with fits.open(tmp_path / "x.fits") as units:
        assert [unit.name for unit in units[1:]] == ["SCIENCE", "TEMPLATE", "DIFFERENCE"]
        assert units[0].header["CANDID"] == packet["candid"]
        for unit in units[1:]:
            original = unit_of(packet, unit.name.lower()).header
            np.testing.assert_array_equal(unit.data, image_of(packet, unit.name.lower()))
            own = set(original) - {"SIMPLE", "EXTEND", "COMMENT", ""}
            assert {name: unit.header[name] for name in own} == {name: original[name] for name in own}


def test_png_of_a_cutout(archive: Archive, packets: list[Row]) -> None:
    thumbnail = archive.thumbnail(packets[0]["candid"])
    picture = Image.open(io.BytesIO(thumbnail.png("template", stretch="linear", percentiles=(0, 100), zoom=2)))
    assert picture.size == (126, 126)
    image = thumbnail.template
    expected = (image - image.min()) / (image.max() - image.min()) * 255
    grey = np.asarray(picture)[::-2, ::2, 0][:63]  # row 0 of the image is at the bottom
    np.testing.assert_allclose(grey, expected, atol=0.51)


def test_pictures_of_a_thumbnail(archive: Archive, packets: list[Row]) -> None:
    thumbnail = archive.thumbnail(packets[0]["candid"])
    figure = thumbnail.plot(stretch="linear", percentiles=(0, 100), kinds=("science", "template"), origin="upper")
    shown = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in shown] == ["science", "template"]
    for axes, kind in zip(shown, ("science", "template"), strict=True):
        image = axes.get_images()[0]
        assert image.get_clim() == pytest.approx((thumbnail[kind].min(), thumbnail[kind].max()))
        assert image.origin == "upper"
    with pytest.raises(BadStretch, match="'squareroot'"):
        thumbnail.plot(stretch="squareroot")
    with pytest.raises(BadPercentiles):
        thumbnail.plot(percentiles=(99, 1))
    assert thumbnail._repr_png_().startswith(b"\x89PNG")


def odd_thumbnail(candid: int, pixels: Any) -> Thumbnail:
    """A thumbnail whose science image has these pixels, and no others."""
    file = io.BytesIO()
    fits.PrimaryHDU(np.asarray(pixels, np.float32)).writeto(file)
    return Thumbnail(candid, build_document({"science": gzip.compress(file.getvalue())}))


@pytest.mark.parametrize(
    "pixels",
    [[[np.nan] * 3] * 2, [[5.0] * 3] * 2, [[1.0, np.nan, -3.4e38], [2.0, 3.0, 4.0]]],
    ids=["nan", "flat", "holes"],
)
def test_pictures_of_images_without_values(archive: Archive, pixels: Any, tmp_path: Path) -> None:
    thumbnail = odd_thumbnail(1, pixels)
    assert thumbnail._repr_png_().startswith(b"\x89PNG")
    assert thumbnail.png("science").startswith(b"\x89PNG")
    gallery = Gallery(archive.reader, [thumbnail])
    assert np.isnan(gallery.cube("science")).sum() == sum(not abs(x) < 1e30 for row in pixels for x in row)
    gallery.plot(stretch="log").savefig(tmp_path / "x.png")


def test_cubes_of_cutouts(archive: Archive, packets: list[Row]) -> None:
    candids = [packet["candid"] for packet in packets[:3]]
    cube = archive.thumbnails(candids).cube("difference")
    assert cube.shape == (3, 63, 63)
    for part, packet in zip(cube, packets, strict=False):
        np.testing.assert_array_equal(part, image_of(packet, "difference"))
    mixed = Gallery(archive.reader, [odd_thumbnail(1, [[1.0, 2.0]]), odd_thumbnail(2, [[3.0], [4.0]])])
    expected = [[[1, 2], [np.nan, np.nan]], [[3, np.nan], [4, np.nan]]]
    np.testing.assert_array_equal(mixed.cube("science"), expected)
    assert np.isnan(mixed.cube("template")).all()


def test_a_gallery_shows_itself(archive: Archive, packets: list[Row], busiest: str) -> None:
    gallery = archive.thumbnails(busiest)
    assert str(gallery) == f"Thumbnails of {len(gallery)} alerts"
    assert '<img src="data:image/png' in gallery._repr_html_()
    many = archive.thumbnails([packet["candid"] for packet in packets[:20]])
    assert "the last 12 of them" in many._repr_html_()
    assert archive.thumbnails([])._repr_html_() == "<p>No thumbnails.</p>"


def test_an_animation_has_a_frame_for_each_alert(archive: Archive, busiest: str, tmp_path: Path) -> None:
    thing = archive.object(busiest)
    thing.gif(tmp_path / "x.gif", seconds=0.25)
    with Image.open(tmp_path / "x.gif") as animation:
        assert animation.n_frames == len(thing.thumbnails)  # type: ignore[attr-defined]
        assert animation.info["duration"] == 250
        assert animation.info["loop"] == 0
        first = np.asarray(animation.convert("RGB"))
        animation.seek(1)
        assert (np.asarray(animation.convert("RGB")) != first).any()
    with pytest.raises(NothingToShow):
        archive.thumbnails([]).gif(tmp_path / "y.gif")
    assert not (tmp_path / "y.gif").exists()
