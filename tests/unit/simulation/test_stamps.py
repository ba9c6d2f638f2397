from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from ingest.simulation.stamps import NAMES
from ingest.simulation.truth import truth_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Reader = Callable[[Path], list[dict[str, Any]]]
    Image = npt.NDArray[np.float32]


def image(packet: dict[str, Any], name: str) -> Image:
    data = gzip.decompress(packet[name]["stampData"])
    return np.frombuffer(data, ">f4", 63 * 63, 2880).reshape(63, 63).astype(np.float32)


def cards(packet: dict[str, Any], name: str) -> list[bytes]:
    data = gzip.decompress(packet[name]["stampData"])
    return [data[i : i + 80].rstrip() for i in range(0, 2880, 80)]


def test_headers_and_names_are_the_real_ones(
    series: list[Path], packets: Reader, real_night: Callable[[int], Path]
) -> None:
    ours, real = packets(series[0])[0], packets(real_night(20210901))[0]
    for name in NAMES:
        assert cards(ours, name) == cards(real, name)
        assert len(gzip.decompress(ours[name]["stampData"])) == len(gzip.decompress(real[name]["stampData"]))
        pattern = real[name]["fileName"].replace(str(real["candid"]), "C").replace(str(real["candidate"]["pid"]), "P")
        mine = ours[name]["fileName"].replace(str(ours["candid"]), "C").replace(str(ours["candidate"]["pid"]), "P")
        assert mine == pattern


def test_stamps_are_fits_and_hardly_compress(series: list[Path], packets: Reader) -> None:
    for packet in packets(series[0]):
        sizes = []
        for name in NAMES:
            data = packet[name]["stampData"]
            sizes.append(len(data))
            with fits.open(io.BytesIO(gzip.decompress(data)), ignore_missing_simple=True) as opened:
                assert opened[0].data.shape == (63, 63)
                assert opened[0].data.dtype == np.dtype(">f4")
                assert np.array_equal(opened[0].data, image(packet, name), equal_nan=True)
        assert min(sizes) > 7_000
        assert max(sizes) < 15_900


def test_the_difference_has_the_object_in_the_middle_with_its_flux_and_sign(
    series: list[Path], packets: Reader
) -> None:
    seen = {"t": 0, "f": 0}
    kinds = {r["candid"]: r["class"] for r in pq.read_table(truth_path(series[0])).to_pylist()}
    rows, columns = np.mgrid[-31:32, -31:32]
    near = np.hypot(rows, columns) < 6
    for packet in packets(series[0]):
        candidate = packet["candidate"]
        if candidate["sigmapsf"] > 0.05 or kinds[packet["candid"]] in ("bogus", "neighbour"):
            continue
        sign = 1 if candidate["isdiffpos"] in ("t", "1") else -1
        flux = np.nansum(image(packet, "cutoutDifference")[near])
        expected = sign * 10 ** (0.4 * (candidate["magzpsci"] - candidate["magpsf"]))
        assert flux == pytest.approx(expected, rel=0.25)
        peak = np.nanargmax(sign * image(packet, "cutoutDifference") * near)
        assert np.abs(np.array(np.unravel_index(peak, (63, 63))) - 31).max() <= 2
        seen["t" if sign > 0 else "f"] += 1
    assert min(seen.values()) > 3


def test_north_is_up_and_east_is_left_with_row_0_at_the_bottom(series: list[Path], packets: Reader) -> None:
    """The nearest source of the reference image shines where its coordinates put it, whatever is around."""
    checked = 0
    for packet in (packet for path in series for packet in packets(path)):
        candidate = packet["candidate"]
        if not (5 < candidate["distnr"] < 25 and candidate["magnr"] < 18.5):
            continue
        here = SkyCoord(candidate["ra"], candidate["dec"], unit="deg")
        east, north = here.spherical_offsets_to(SkyCoord(candidate["ranr"], candidate["decnr"], unit="deg"))
        column, row = 31 - east.arcsec / 1.01, 31 + north.arcsec / 1.01
        template = image(packet, "cutoutTemplate")
        box = np.s_[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
        assert np.hypot(column - 31, row - 31) == pytest.approx(candidate["distnr"], abs=1.5)
        assert np.nanmax(template[box]) > np.nanmedian(template) + 8 * 2.0
        mirrored = np.s_[box[0], 62 - round(column) - 2 : 62 - round(column) + 3]
        checked += bool(np.nanmax(template[mirrored]) < np.nanmax(template[box]))
    assert checked >= 10


def test_the_template_of_an_object_stays_the_same(series: list[Path], packets: Reader) -> None:
    templates: dict[tuple[str, int], bytes] = {}
    again = 0
    for packet in (packet for path in series for packet in packets(path)):
        key = (packet["objectId"], packet["candidate"]["fid"])
        again += key in templates
        data = packet["cutoutTemplate"]["stampData"]
        assert templates.setdefault(key, data) == data
    assert again > 50


def test_pixels_beyond_the_edge_are_nan(full_night: list[Path], packets: Reader) -> None:
    some = 0
    for packet in packets(full_night[0]):
        blank = np.isnan(image(packet, "cutoutScience"))
        inside = packet["candidate"]["mindtoedge"]
        assert blank.any() == (inside < 31) or abs(inside - 31) < 2
        assert np.array_equal(blank, np.isnan(image(packet, "cutoutDifference")))
        some += bool(blank.any())
    assert 0 < some < 80
