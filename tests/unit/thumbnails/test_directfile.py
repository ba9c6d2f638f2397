"""What is appended stands in the file, on file systems that write past the page cache and on those that do not."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alertdb.thumbnails import directfile
from alertdb.thumbnails.directfile import DirectFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUFFER = 1 << 16
DATA = random.Random(1).randbytes(5 * BUFFER)


@pytest.fixture(autouse=True)
def _small_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directfile, "_BUFFER_BYTES", BUFFER)
    monkeypatch.setattr(directfile, "_LEAVING_BYTES", 2 * BUFFER)


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    with opened(tmp_path / "file") as handle:
        yield handle


@contextmanager
def opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    yield handle
    os.close(handle)


def is_direct(handle: int) -> bool:
    return bool(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_DIRECT)


def pieces(sizes: Sequence[int]) -> list[bytes]:
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [DATA[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def write(handle: int, parts: Sequence[bytes]) -> None:
    file = DirectFile(handle)
    for part in parts:
        file.append(part)
    file.finish()


def content(path: Path) -> bytes:
    """Return a file's bytes as another program sees them."""
    return subprocess.run(["cat", path], check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [1],
        [4095],
        [4096],
        [4097],
        [BUFFER - 1],
        [BUFFER],
        [BUFFER + 1],
        [BUFFER - 1, 0, 1],
        [BUFFER - 1, 2, BUFFER - 1],
        [10, 4 * BUFFER + 10, 10],
        [997] * 300,
    ],
)
@pytest.mark.parametrize("folder", ["", "/dev/shm"])  # noqa: S108 - a file system in memory
def test_the_bytes_are_those_that_were_appended(tmp_path: Path, folder: str, sizes: list[int]) -> None:
    path = Path(folder or tmp_path) / f"alertdb-test-{os.getpid()}"
    try:
        with opened(path) as handle:
            write(handle, pieces(sizes))
        assert content(path) == b"".join(pieces(sizes))
    finally:
        path.unlink()


def test_views_and_arrays_of_bytes(handle: int, tmp_path: Path) -> None:
    file = DirectFile(handle)
    changing = bytearray(b"first")
    file.append(memoryview(changing))
    changing[:] = b"other"
    file.append(changing)
    file.finish()
    assert content(tmp_path / "file") == b"firstother"


def in_page_cache(handle: int) -> bool:
    """Return whether the first page could be read without the disk."""
    fcntl.fcntl(handle, fcntl.F_SETFL, os.O_RDWR)
    try:
        return os.preadv(handle, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False


def test_the_page_cache_is_not_used(handle: int, tmp_path: Path) -> None:
    try:
        with opened(tmp_path / "other") as other:
            os.write(other, DATA)
            assert in_page_cache(other)
    except OSError:
        pytest.skip("the file system does not tell what it has in memory")
    write(handle, [DATA])
    if not is_direct(handle):
        pytest.skip("the file system does not write past the page cache")
    assert not in_page_cache(handle)


def test_a_file_system_that_cannot_write_past_its_cache(tmp_path: Path) -> None:
    mount = subprocess.run(["mount", "-t", "ramfs", "none", tmp_path], capture_output=True, text=True, check=False)
    if mount.returncode:
        pytest.skip(f"no file system in memory: {mount.stderr.strip()}")
    try:
        with opened(tmp_path / "file") as handle:
            write(handle, [DATA, b"end"])
            assert not is_direct(handle)
        assert content(tmp_path / "file") == DATA + b"end"
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_write_that_does_not_suit_the_disk_goes_through_the_cache(
    handle: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directfile, "_BLOCK", 1)  # no disk has blocks of one byte
    write(handle, [DATA, b"end"])
    assert content(tmp_path / "file") == DATA + b"end"


def test_a_system_that_writes_less_than_it_is_given(
    handle: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda handle, data, position: whole(handle, data[:12_000], position))
    write(handle, [DATA, b"end"])
    assert content(tmp_path / "file") == DATA + b"end"


def test_what_the_system_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    handle = os.open(tmp_path / "file", os.O_RDONLY)
    with pytest.raises(OSError) as error:  # noqa: PT011 - the number is looked at
        write(handle, [DATA])
    os.close(handle)
    assert error.value.errno == errno.EBADF


def test_nothing_can_be_appended_to_a_file_that_was_let_go(handle: int) -> None:
    file = DirectFile(handle)
    file.append(b"some")
    file.release()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.append(b"more")
