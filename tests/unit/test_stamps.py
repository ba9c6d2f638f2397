"""Cutouts against `gzip` and the FITS standard read by hand; pictures against Pillow."""

from __future__ import annotations

import gzip
import io
import random
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image as Pillow
from plain import read_packets

from alertdb.errors import BadPercentiles, BadStretch, DamagedStamp
from alertdb.stamps import brightness, percentile_limits, read_stamp, read_stamps, write_png
from alertdb.thumbnails import KINDS
from alertdb.thumbnails.document import build_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAMAGED = {516401801315010009, 516442330015015017, 516476004815015005}  # so in the packets: wrong CRC-32
IN_A_GALAXY = "ZTF21abiuvdk"  # SN 2021rhu in NGC 7814


def fits_bytes(image: np.ndarray[Any, Any], **cards: object) -> bytes:
    header = fits.Header(cards)
    stream = io.BytesIO()
    fits.PrimaryHDU(image, header).writeto(stream)
    return stream.getvalue()


def packed(image: np.ndarray[Any, Any]) -> bytes:
    return gzip.compress(fits_bytes(image.astype(np.float32)))


def by_hand(content: bytes) -> list[float]:
    """Return the pixels of a ZTF stamp: a header of 36 cards, then big-endian floats."""
    unpacked = gzip.decompress(content)
    sizes = [int(unpacked[card : card + 80].decode().split("=")[1]) for card in (240, 320)]
    count = sizes[0] * sizes[1]
    return list(struct.unpack(f">{count}f", unpacked[2880 : 2880 + 4 * count]))


@pytest.fixture(scope="module")
def packets(real_tarballs: list[Path]) -> list[dict[str, Any]]:
    return [packet for tarball in real_tarballs for packet in read_packets(tarball)]


def cutouts(packet: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    for kind in KINDS:
        if packet[f"cutout{kind.capitalize()}"] is not None:
            yield kind, packet[f"cutout{kind.capitalize()}"]["stampData"]


def test_every_real_stamp_is_read_as_by_hand(packets: list[dict[str, Any]]) -> None:
    damaged = set()
    for packet in packets:
        for kind, content in cutouts(packet):
            try:
                image = read_stamp(content)
            except DamagedStamp:
                damaged.add(packet["candid"])
                assert kind == "difference"
                with pytest.raises(gzip.BadGzipFile):
                    gzip.decompress(content)
                continue
            assert image.dtype == np.float32
            assert image.shape in {(63, 63), (51, 63)}
            assert np.array_equal(image.ravel(), by_hand(content), equal_nan=True)
    assert damaged == DAMAGED


def test_a_document_is_read_as_its_stamps(packets: list[dict[str, Any]]) -> None:
    stamps = dict(cutouts(packets[-1]))
    images = read_stamps(build_document(stamps))
    assert list(images) == list(KINDS)
    for kind, image in images.items():
        assert np.array_equal(image, read_stamp(stamps[kind]), equal_nan=True)


def test_in_real_stamps_a_known_source_lies_north_towards_row_0_and_east_towards_column_0(
    packets: list[dict[str, Any]],
) -> None:
    """The nearest source of the reference catalogue has a known offset on the sky (ranr, decnr).

    It is the brightest pixel near the middle of the template, if that lies as far away as the catalogue says.
    """
    north_is_row_0, east_is_column_0 = [], []
    for packet in packets:
        alert = packet["candidate"]
        if not 0 < alert["magnr"] < 20 or not 2 < alert["distnr"] < 6 or packet["objectId"] == IN_A_GALAXY:
            continue
        middle = read_stamp(packet["cutoutTemplate"]["stampData"])[31 - 7 : 31 + 8, 31 - 7 : 31 + 8]
        row, column = np.subtract(np.unravel_index(np.nanargmax(middle), middle.shape), 7)
        if abs(np.hypot(row, column) - alert["distnr"]) < 1:
            north = (alert["decnr"] - alert["dec"]) * 3600
            east = (alert["ranr"] - alert["ra"]) * np.cos(np.radians(alert["dec"])) * 3600
            north_is_row_0 += [north * row < 0] if abs(north) > 1 else []
            east_is_column_0 += [east * column < 0] if abs(east) > 1 else []
    assert len(north_is_row_0) >= 3
    assert all(north_is_row_0)
    assert len(east_is_column_0) >= 1
    assert all(east_is_column_0)


def test_in_real_stamps_a_known_galaxy_lies_from_north_west_to_south_east(packets: list[dict[str, Any]]) -> None:
    """NGC 7814 is seen edge-on, at a position angle of 135 degrees (RC3), counted from north through east."""
    for packet in packets:
        if packet["objectId"] == IN_A_GALAXY:
            template = read_stamp(packet["cutoutTemplate"]["stampData"]).astype(float)
            north, east = 31 - np.indices(template.shape)  # rows and columns, if north is row 0 and east column 0
            light = template - template.min()
            north, east = (axis - np.average(axis, weights=light) for axis in (north, east))
            moments = [np.average(product, weights=light) for product in (north * north, north * east, east * east)]
            angle = np.degrees(np.arctan2(2 * moments[1], moments[0] - moments[2]) / 2) % 180
            assert angle == pytest.approx(135, abs=15)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
def test_images_of_every_type_of_fits(dtype: str) -> None:
    image = np.arange(12).reshape(3, 4).astype(dtype)
    read = read_stamp(gzip.compress(fits_bytes(image)))
    assert read.dtype == np.float32
    assert read.dtype.isnative
    assert np.array_equal(read, image)


def test_scaled_integers() -> None:
    stored = fits_bytes(np.array([[0, 1], [2, 3]], "int16")).replace(
        b"END" + b" " * 157,
        b"BSCALE  =                  0.5".ljust(80) + b"BZERO   =                 10.0".ljust(80) + b"END",
    )
    stored = stored[:2880].ljust(2880)[:2880] + stored[-2880:]
    assert read_stamp(gzip.compress(stored)).tolist() == [[10, 10.5], [11, 11.5]]


def test_values_that_are_none_stay_what_they_are() -> None:
    image = np.array([[np.nan, np.inf], [-np.inf, np.float32(-3.4028235e38)]], np.float32)
    assert np.array_equal(read_stamp(gzip.compress(fits_bytes(image))), image, equal_nan=True)


def test_what_is_no_stamp_is_said_in_one_line() -> None:
    sound = gzip.compress(fits_bytes(np.zeros((63, 63), np.float32)))
    noise = gzip.compress(np.random.default_rng(1).bytes(20160))
    cases = {
        "its gzip ends after 0 bytes, too early": b"",
        "its gzip ends after 100 bytes, too early": sound[:100],
        "its gzip is damaged (Error -3 while decompressing data: incorrect header check)": b"SIMPLE  =  T" * 9,
        "2 bytes follow the end of its gzip": sound + b"\0\0",
        "its bytes do not begin with a FITS header": noise,
        "its FITS header has no END": gzip.compress(b"SIMPLE  =  T".ljust(2880)),
        "its header says NAXIS 3 and BITPIX -32, expected 2": packed(np.zeros((2, 3, 4))),
        "its header says 4 x 3 pixels of 4 bytes, but 0 bytes follow": gzip.compress(
            fits_bytes(np.zeros((3, 4), np.float32))[:2880]
        ),
        "its header says NAXIS1 'many', expected a number": gzip.compress(
            fits_bytes(np.zeros((3, 4))).replace(b"                    4", b"                 many")
        ),
    }
    for found, content in cases.items():
        with pytest.raises(DamagedStamp) as error:
            read_stamp(content)
        assert str(error.value).startswith(f"A cutout is no gzipped FITS image: {found}"), content[:20]
        assert "\n" not in str(error.value)


def test_every_truncation_of_a_stamp_is_said(packets: list[dict[str, Any]]) -> None:
    _, content = next(cutouts(packets[0]))
    for size in range(0, len(content), 97):
        with pytest.raises(DamagedStamp):
            read_stamp(content[:size])


def test_every_flipped_bit_of_a_stamp_is_said_or_harmless(packets: list[dict[str, Any]]) -> None:
    _, content = next(cutouts(packets[0]))
    expected = read_stamp(content)
    for position in [*range(20), *range(20, len(content), 211), *range(len(content) - 8, len(content))]:
        damaged = bytearray(content)
        damaged[position] ^= 4
        try:
            assert np.array_equal(read_stamp(damaged), expected, equal_nan=True)
        except DamagedStamp:
            continue


def test_headers_that_lie(packets: list[dict[str, Any]]) -> None:
    """Whatever a header says, an image or one clear error comes out, and no warning."""
    chance = random.Random(5)
    unpacked = gzip.decompress(next(cutouts(packets[0]))[1])
    for _ in range(1500):
        lying = bytearray(unpacked)
        card = chance.randrange(7) * 80
        for _ in range(chance.randrange(1, 4)):
            lying[card + chance.randrange(30)] = chance.choice(b"0123456789-+.ETFX= '\xff\0")
        try:
            assert read_stamp(gzip.compress(lying, 1)).ndim == 2
        except DamagedStamp as error:
            assert "\n" not in str(error)  # noqa: PT017 - most are read, a few are not


def test_bombs_are_refused() -> None:
    large = gzip.compress(bytes(200 << 20), 1)
    with pytest.raises(DamagedStamp, match=r"bytes unpack to more than 2097152"):
        read_stamp(large)
    dense = gzip.compress(fits_bytes(np.zeros((600, 600), np.float32)))
    with pytest.raises(DamagedStamp, match=rf"its {len(dense)} bytes unpack to more than {200 * len(dense)}"):
        read_stamp(dense)


def opened(path: Path) -> np.ndarray[Any, Any]:
    """Return a PNG as an array (rows, columns, red green blue alpha), top row first."""
    with Pillow.open(path) as picture:
        return np.asarray(picture.convert("RGBA")).astype(int)


def test_row_0_is_at_the_bottom_of_a_picture(tmp_path: Path) -> None:
    image = np.zeros((3, 5), np.float32)
    image[0, 1] = 1
    write_png(image, tmp_path / "a.png", percentiles=(0, 100), zoom=2)
    pixels = opened(tmp_path / "a.png")
    assert pixels.shape == (6, 10, 4)
    assert np.argwhere(pixels[..., 0] == 255).tolist() == [[4, 2], [4, 3], [5, 2], [5, 3]]
    assert (pixels[..., 3] == 255).all()


def test_row_0_can_be_at_the_top(tmp_path: Path) -> None:
    image = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_png(image, tmp_path / "a.png", percentiles=(0, 100), zoom=1, origin="upper")
    assert opened(tmp_path / "a.png")[..., 0].tolist() == [[0, 51], [102, 153], [204, 255]]


def test_a_picture_is_grey_and_pixels_without_a_value_are_transparent(tmp_path: Path) -> None:
    image = np.array([[0, 10, np.nan], [np.inf, -np.inf, np.float32(-3.4028235e38)]], np.float32)
    write_png(image, tmp_path / "a.png", percentiles=(0, 100), zoom=1, origin="upper")
    pixels = opened(tmp_path / "a.png")
    assert pixels[..., 3].tolist() == [[255, 255, 0], [0, 0, 0]]
    assert pixels[0, :2, :3].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [
        ("linear", 0.25),
        ("sqrt", 0.5),
        ("log", 0.7998),  # log(251) / log(1001)
        ("asinh", 0.5494),  # asinh(2.5) / asinh(10)
    ],
)
def test_stretches(stretch: str, expected: float) -> None:
    image = np.array([[-5, 0], [25, 100], [150, np.nan]], np.float32)
    painted = brightness(image, (0, 100), stretch)
    assert painted.ravel()[:5] == pytest.approx([0, 0, expected, 1, 1], abs=1e-4)
    assert np.isnan(painted[2, 1])


def test_limits_are_percentiles_of_the_values() -> None:
    image = np.array([*range(101), np.nan, np.inf], np.float32).reshape(1, -1)
    assert percentile_limits(image, 5, 90) == (5, 90)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_an_image_of_one_value_is_grey_or_empty(tmp_path: Path, value: float) -> None:
    write_png(np.full((2, 2), value, np.float32), tmp_path / "a.png", zoom=1)
    assert opened(tmp_path / "a.png")[0, 0].tolist() == ([0, 0, 0, 0] if np.isnan(value) else [128, 128, 128, 255])


def test_what_is_no_stretch_or_limit(tmp_path: Path) -> None:
    image = np.zeros((2, 2), np.float32)
    with pytest.raises(BadStretch) as error:
        write_png(image, tmp_path / "a.png", stretch="cubic")
    assert str(error.value) == "There is no stretch 'cubic'; expected one of linear, sqrt, log, asinh."
    for low, high in ((99.0, 1.0), (5.0, 5.0), (-1.0, 50.0), (0.0, 101.0), (np.nan, 5.0)):
        with pytest.raises(BadPercentiles, match="the smaller first, as 0.5 and 99.5"):
            write_png(image, tmp_path / "a.png", percentiles=(low, high))
    assert not (tmp_path / "a.png").exists()
