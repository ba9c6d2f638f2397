"""Thumbnails in real processes: `kill -9`, many readers, read-only mounts, other users, full disks."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, str(Path(__file__).with_name("thumbnail_process.py"))]
DOCUMENTS = 300
KILLS = 25
READERS = 3
NOBODY = 65534


def _start(*arguments: object, before: list[str] | None = None) -> subprocess.Popen[str]:
    command = [*(before or []), *PROGRAM, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _mounted(script: str) -> list[str]:
    """Return what runs a command, as "$@" in a shell script, with mounts of its own."""
    return ["unshare", "--mount", "sh", "-c", script, "sh", "-"]


def _finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def _seen(reader: subprocess.Popen[str]) -> dict[str, int]:
    code, out, err = _finish(reader)
    assert (code, err) == (0, "")
    return dict(json.loads(out))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "thumbnails"
    open_store(path.as_uri(), readonly=False)
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may enter; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="alertdb-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_a_writer_killed_at_any_moment_leaves_nothing_half_visible(folder: Path, tmp_path: Path) -> None:
    chance = random.Random(20210901)
    readers = [_start("read", folder.as_uri(), tmp_path / "stop") for _ in range(READERS)]
    rounds = 0
    for _ in range(KILLS):
        writer = _start("write", folder.as_uri(), 1000)
        assert writer.stdout is not None
        rounds += len(writer.stdout.readline()) > 0  # it works now: the next moment is one of the writing
        time.sleep(chance.uniform(0, 0.03))
        writer.kill()
        writer.communicate()
    (tmp_path / "stop").touch()
    seen = [_seen(reader) for reader in readers]

    assert rounds == KILLS
    assert list(open_store(folder.as_uri()).verify()) == []
    for counts in seen:
        assert counts["all"] > 10
        assert counts["wrong"] == counts.get("some", 0) == 0

    code, out, _ = _finish(_start("write", folder.as_uri(), 1))
    assert (code, out) == (0, "0\n")
    assert [path.name for path in (folder / "public").iterdir()] == ["night.zip"]
    assert [tarball.documents for tarball in open_store(folder.as_uri()).tarballs()] == [DOCUMENTS]


def test_a_killed_writer_s_file_is_not_served_and_replaced(folder: Path) -> None:
    unfinished = folder / "public" / "night.zip.unfinished"
    for _ in range(20):
        writer = _start("write", folder.as_uri(), 20)
        while not unfinished.exists() and writer.poll() is None:
            time.sleep(0.001)
        writer.kill()
        writer.communicate()
        if unfinished.exists():
            break
    assert unfinished.exists()
    code, _, _ = _finish(_start("write", folder.as_uri(), 1))
    assert code == 0
    assert [path.name for path in (folder / "public").iterdir()] == ["night.zip"]
    assert list(open_store(folder.as_uri()).verify()) == []


def test_two_processes_cannot_write_one_tarball(folder: Path) -> None:
    with open_store(folder.as_uri(), readonly=False).writer("night", "public"):
        code, out, err = _finish(_start("write", folder.as_uri(), 1))
    assert (code, out) == (1, "")
    assert err == (
        f"Another process is writing {folder}/public/night.zip.unfinished. "
        "Wait until it has ended, then run the same command again.\n"
    )


def test_a_file_size_limit_is_one_clear_error(folder: Path) -> None:
    code, out, err = _finish(_start("write", folder.as_uri(), 1, 1_000_000))
    assert (code, out) == (1, "")
    assert err.startswith(f"{folder}/public/night.zip could not be written: File too large after ")
    assert err.count("\n") == 1
    assert list((folder / "public").iterdir()) == []


def _can_mount() -> bool:
    command = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


needs_mount = pytest.mark.skipif(not _can_mount(), reason="this user may not mount file systems")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@needs_mount
def test_a_full_disk_is_one_clear_error_and_costs_nothing_else(folder: Path) -> None:
    script = f"mount -t tmpfs -o size=1500k none {folder} && mkdir {folder}/public && shift; "
    check = f'"$@"; code=$?; find {folder} -type f >&2; exit $code'
    code, out, err = _finish(
        _start("write", folder.as_uri(), 1, before=["unshare", "--mount", "sh", "-c", script + check, "sh", "-"])
    )
    assert (code, out) == (1, "")
    assert err.startswith(f"{folder}/public/night.zip could not be written: No space left on device after ")
    assert err.endswith("make room, or make the folder writable, and run the same command again.\n")
    assert err.count("\n") == 1  # `find` found no file


@needs_mount
def test_a_full_disk_that_is_written_past_the_page_cache(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "image").open("wb") as image:
        image.truncate(1_500_000)
    script = f"mkfs.ext4 -q -O ^has_journal {tmp_path}/image && mount -o loop {tmp_path}/image {folder} || exit 77; "
    check = f'shift; "$@"; code=$?; find {folder} -type f >&2; exit $code'
    code, out, err = _finish(_start("write", folder.as_uri(), 1, before=_mounted(script + check)))
    if code == 77:
        pytest.skip(f"no small disk: {err.strip()}")
    assert (code, out) == (1, "")
    assert err.startswith(f"{folder}/public/night.zip could not be written: No space left on device after ")
    assert err.count("\n") == 1  # `find` found no file


@needs_mount
def test_a_full_disk_leaves_what_was_sealed(folder: Path) -> None:
    """The first version fits, the second would not fit beside it."""
    mount = f"mount -t tmpfs -o size=3m none {folder} && cd {folder} && shift; "
    check = '"$@"; code=$?; find -type f; exit $code'
    code, out, err = _finish(_start("write", folder.as_uri(), 2, before=_mounted(mount + check)))
    assert (code, out) == (1, "0\n./public/night.zip\n")
    assert "No space left on device" in err


@needs_mount
def test_a_read_only_mount_serves(folder: Path, tmp_path: Path) -> None:
    _finish(_start("write", folder.as_uri(), 1))
    (tmp_path / "stop").touch()
    script = f'mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && shift; "$@"'
    before = _mounted(script)
    assert _seen(_start("read", folder.as_uri(), tmp_path / "stop", before=before)) == {"all": 1, "wrong": 0}
    code, _, err = _finish(_start("write", folder.as_uri(), 1, before=before))
    assert code == 1
    assert err.startswith(
        f"{folder}/public/night.zip could not be written: Read-only file system after 0.0 MB. Nothing"
    )


@needs_root
def test_another_user_reads_public_without_the_right_to_partnership(open_folder: Path) -> None:
    store = open_folder / "thumbnails"
    _finish(_start("write", store.as_uri(), 1))
    with open_store(store.as_uri(), readonly=False).writer("night", "partnership") as writer:
        writer.put_many([(1, b"only for partners")])
    (store / "partnership").chmod(0o700)
    (open_folder / "stop").touch()
    seen = _seen(_start("read", store.as_uri(), open_folder / "stop", NOBODY))
    assert seen == {"all": 1, "wrong": 0}
