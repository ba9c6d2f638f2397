"""The document against `zipfile` and `unzip`, which know nothing of our code."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import DamagedThumbnail
from alertdb.thumbnails.document import build_document, document_pieces, read_document

if TYPE_CHECKING:
    from pathlib import Path

STAMPS = {"science": b"the science cutout", "template": b"", "difference": bytes(range(256)) * 50}


def test_any_zip_program_reads_a_document() -> None:
    with zipfile.ZipFile(io.BytesIO(build_document(STAMPS))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["science.fits.gz", "template.fits.gz", "difference.fits.gz"]
        for member in archive.infolist():
            expected = STAMPS[member.filename.removesuffix(".fits.gz")]
            assert archive.read(member) == expected
            assert zlib.crc32(expected) == member.CRC
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_extracts_a_document(tmp_path: Path) -> None:
    (tmp_path / "document.zip").write_bytes(build_document(STAMPS))
    subprocess.run(["unzip", "-q", "document.zip"], cwd=tmp_path, check=True)
    assert (tmp_path / "difference.fits.gz").read_bytes() == STAMPS["difference"]
    assert (tmp_path / "difference.fits.gz").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("kinds", [["science", "template", "difference"], ["template"], ["science", "difference"], []])
def test_a_document_comes_back_as_its_cutouts(kinds: list[str]) -> None:
    stamps = {kind: STAMPS[kind] for kind in kinds}
    document = build_document(stamps)
    assert read_document(document) == stamps
    assert read_document(memoryview(document)) == stamps
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        assert archive.namelist() == [f"{kind}.fits.gz" for kind in kinds]


def test_a_cutout_that_is_none_is_left_out() -> None:
    assert build_document({**STAMPS, "template": None}) == build_document(
        {"difference": STAMPS["difference"], "science": STAMPS["science"]}
    )


def test_pieces_are_the_document_and_copy_no_cutout() -> None:
    buffer = b"".join(STAMPS.values())
    views = {"science": memoryview(buffer)[:18], "difference": memoryview(buffer)[18:]}
    pieces = document_pieces(views)
    assert b"".join(pieces) == build_document({"science": STAMPS["science"], "difference": STAMPS["difference"]})
    assert any(piece is views["difference"] for piece in pieces)


def test_every_flipped_byte_is_found() -> None:
    document = build_document({"science": b"abc", "template": b"", "difference": b"0123456789"})
    for position in range(len(document)):
        damaged = bytearray(document)
        damaged[position] ^= 0x20
        with pytest.raises(DamagedThumbnail):
            read_document(damaged)


def test_every_truncation_is_found() -> None:
    document = build_document(STAMPS)
    for size in (0, 1, 21, 40, 5000, len(document) - 1):
        with pytest.raises(DamagedThumbnail):
            read_document(document[:size])


def test_the_message_names_the_cutout_and_both_checksums() -> None:
    document = build_document(STAMPS).replace(b"the science", b"the silence")
    found, expected = zlib.crc32(b"the silence cutout"), zlib.crc32(b"the science cutout")
    with pytest.raises(DamagedThumbnail) as error:
        read_document(document)
    assert str(error.value) == (
        f"The science.fits.gz of a thumbnail is damaged: its CRC-32 is {found:08x}, expected {expected:08x}. "
        "Restore it from a copy, or ingest its tarball again with --replace."
    )
