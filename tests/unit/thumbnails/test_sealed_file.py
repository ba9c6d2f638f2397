"""A sealed file read without our code, and every way in which its bytes can be damaged."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alertdb.errors import DamagedThumbnail, DamagedThumbnailFile
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import build_document
from alertdb.thumbnails.unfinished import EmbeddedWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from alertdb.thumbnails import ThumbnailStore

    Fill: TypeAlias = Callable[..., None]
    Document: TypeAlias = Callable[..., bytes]

CANDIDS = [595277915515015000, 595277915515015001, 2182290200315010047, 5]


@pytest.fixture
def path(fill: Fill, tmp_path: Path) -> Path:
    fill("a", CANDIDS)
    return tmp_path / "thumbnails" / "public" / "a.zip"


def _write(path: Path, content: bytes | bytearray) -> None:
    """Put other bytes in the place of a sealed file."""
    path.unlink()
    path.write_bytes(content)


def test_python_s_zipfile_reads_it(path: Path, document: Document) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        documents = [name for name in archive.namelist() if not name.endswith(".npy")]
        assert documents == [f"{candid}.zip" for candid in sorted(CANDIDS)]
        for candid in CANDIDS:
            assert archive.read(f"{candid}.zip") == document(candid)
        with zipfile.ZipFile(io.BytesIO(archive.read("5.zip"))) as inner:
            assert inner.read("science.fits.gz") == b"5 "


def test_numpy_reads_its_index(path: Path, document: Document) -> None:
    with np.load(path) as members:
        index = members["index"]
    content = path.read_bytes()
    assert index["candid"].tolist() == sorted(CANDIDS)
    for candid, offset, size, crc in index.tolist():
        assert content[offset : offset + size] == document(candid)
        assert crc == zlib.crc32(document(candid))


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_reads_it(path: Path, document: Document) -> None:
    subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)
    member = subprocess.run(["unzip", "-p", path, "5.zip"], check=True, capture_output=True).stdout
    assert member == document(5)


def test_more_members_than_a_plain_zip_can_have(
    fill: Fill, store: ThumbnailStore, document: Document, tmp_path: Path
) -> None:
    fill("many", range(66_000))
    with zipfile.ZipFile(tmp_path / "thumbnails" / "public" / "many.zip") as archive:
        assert len(archive.namelist()) == 66_002
        assert archive.read("65999.zip") == document(65_999)
    assert store.get(65_999) == document(65_999)
    assert list(store.verify()) == []


def test_more_bytes_than_a_plain_zip_can_have(store: ThumbnailStore, document: Document, tmp_path: Path) -> None:
    writer = store.writer("large", "public")
    assert isinstance(writer, EmbeddedWriter)
    writer.put_many([(1, document(1))])
    writer._file.finish()
    writer._file._start = writer._end = 5 << 30  # a hole: five gigabytes that take no room
    writer.put_many([(2, document(2))])
    writer.seal()
    assert [store.get(1), store.get(2)] == [document(1), document(2)]
    with zipfile.ZipFile(tmp_path / "thumbnails" / "public" / "large.zip") as archive:
        assert archive.read("1.zip") == document(1)
        assert archive.read("2.zip") == document(2)


def _read_all(store: ThumbnailStore) -> dict[int, bytes | None]:
    """Return what a reader gets: for each candid its document, or None where damage is said."""
    found: dict[int, bytes | None] = {}
    for candid in CANDIDS:
        try:
            found[candid] = store.get(candid)
        except DamagedThumbnail:
            found[candid] = None
    return found


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_every_flipped_byte_is_said_or_harmless(path: Path, document: Document, flip: int) -> None:
    sound = path.read_bytes()
    for position in range(len(sound)):
        damaged = bytearray(sound)
        damaged[position] ^= flip
        _write(path, damaged)
        store = open_store(path.parents[1].as_uri())
        assert all(got in (None, document(candid)) for candid, got in _read_all(store).items()), position
        assert list(store.verify()) != [], position


def test_every_truncation_is_said(path: Path) -> None:
    sound = path.read_bytes()
    for size in range(len(sound)):
        _write(path, sound[:size])
        store = open_store(path.parents[1].as_uri())
        with pytest.raises(DamagedThumbnailFile) as error:
            store.get(5)
        assert str(error.value) == (
            f"{path} is damaged: its {size} bytes do not end as a sealed file does, perhaps it was cut short. "
            "Restore it from a copy, or ingest its tarball again with --replace."
        )
        assert list(store.verify()) == [str(error.value)]


def test_bytes_that_follow_the_end_are_said(path: Path) -> None:
    _write(path, path.read_bytes() + b"\0")
    assert len(list(open_store(path.parents[1].as_uri()).verify())) == 1


def test_a_damaged_document_is_named_with_both_checksums(path: Path, document: Document, store: ThumbnailStore) -> None:
    damaged = document(5).replace(b"5 ", b"6 ")
    _write(path, path.read_bytes().replace(document(5), damaged))
    with pytest.raises(DamagedThumbnail) as error:
        store.get(5)
    found, expected = zlib.crc32(damaged), zlib.crc32(document(5))
    assert str(error.value) == (
        f"The thumbnail of 5 in {path} is damaged: its CRC-32 is {found:08x}, expected {expected:08x}. "
        "Restore it from a copy, or ingest its tarball again with --replace."
    )
    assert list(store.verify()) == [str(error.value)]


def test_a_damaged_index_is_named(path: Path, store: ThumbnailStore) -> None:
    content = path.read_bytes()
    record = content.index(np.int64(CANDIDS[1]).tobytes())
    _write(path, content[:record] + b"\xff" + content[record + 1 :])
    with pytest.raises(DamagedThumbnailFile, match=r"a\.zip is damaged: CRC-32 of part 0 of its index is"):
        store.get(5)


def test_damage_takes_nothing_from_the_neighbours(
    path: Path, document: Document, store: ThumbnailStore, fill: Fill
) -> None:
    fill("b", [1, 2, 3])
    fill("c", range(100, 1000))
    _write(path, path.read_bytes().replace(document(5), bytes(len(document(5)))))
    other = path.with_name("b.zip")
    _write(other, other.read_bytes()[:-1])

    found: list[tuple[int, bytes]] = []
    with pytest.raises(DamagedThumbnail, match="The thumbnail of 5 in"):
        found.extend(store.get_many([5, *CANDIDS, 500]))
    assert found == [(candid, document(candid)) for candid in (*CANDIDS[:3], 500)]
    with pytest.raises(DamagedThumbnailFile, match=r"b\.zip"):
        store.get(2)
    assert [tarball.tarball for tarball in store.tarballs()] == ["a", "c"]
    assert len(list(store.verify())) == 2


def test_another_file_s_sound_copy_stands_in(path: Path, document: Document, store: ThumbnailStore, fill: Fill) -> None:
    fill("b", [5])
    _write(path, path.read_bytes().replace(document(5), bytes(len(document(5)))))
    assert store.get(5) == document(5)
    assert len(list(store.verify())) == 1


def test_a_file_that_was_never_ours(path: Path, store: ThumbnailStore) -> None:
    with zipfile.ZipFile(path.with_name("zz.zip"), "w") as archive:
        archive.writestr("1.zip", build_document({}))
    assert store.get(5)
    assert [line.split(" is damaged")[0] for line in store.verify()] == [str(path.with_name("zz.zip"))]


def test_random_damage_of_several_bytes(path: Path, document: Document) -> None:
    sound, chance = path.read_bytes(), random.Random(7)
    for _ in range(300):
        damaged = bytearray(sound)
        start = chance.randrange(len(sound))
        damaged[start : start + chance.randrange(1, 200)] = chance.randbytes(chance.randrange(200))
        _write(path, damaged)
        store = open_store(path.parents[1].as_uri())
        assert all(got in (None, document(candid)) for candid, got in _read_all(store).items())
