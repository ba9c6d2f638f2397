"""Backups: one moment of the archive, whole or not there, whatever goes on and whatever dies."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from archives import differs
from plain import stored_table
from programs import alertdb, one_line, start, wait_for

from alertdb.backup import make
from alertdb.backup.errors import (
    BackupNotWritten,
    BackupOvertaken,
    BackupServerFailed,
    BackupUnderWay,
    NoBackup,
)
from alertdb.backup.layout import choose_backup, list_backups
from alertdb.backup.restore import check_backup, restore
from alertdb.config import Config
from alertdb.errors import ArchiveMissing
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("innodb_log_file_size=16M",)


def test_a_backup_beside_a_load_is_one_moment_of_it(
    own: Config, nights: list[Path], home: Config, tmp_path: Path
) -> None:
    loader = start(own, tmp_path / "log", "ingest", "--workers", "1", *nights)
    made = make.back_up(own, tmp_path / "backups", None, lambda _: None)
    assert loader.wait(120) == 0, (tmp_path / "log").read_text()
    restore(home.home, made.path, None, lambda _: None)
    PrivateServer(home.home, OPTIONS).ensure_started()
    assert not differs(home)
    names = set(stored_table(home, "tarballs", ("name",)))
    assert {path.name for path in nights[:4]} <= names
    assert not differs(home, *(path for path in nights if path.name in names))


def test_the_copy_knows_only_thumbnails_of_its_own_tarballs(own: Config, backups: Path) -> None:
    stranger = own.home / "thumbnails" / "public" / "ztf_public_20990101.tar.gz.zip"
    shutil.copy(next((own.home / "thumbnails" / "public").glob("*.zip")), stranger)  # sealed, not committed
    try:
        made = make.back_up(own, backups, 1, lambda _: None)
    finally:
        stranger.unlink()
    assert list_backups(backups) == [made.path]  # the one before went
    assert not (made.path / "thumbnails" / "public" / stranger.name).exists()
    assert made.copied == 1
    assert made.linked >= 4
    listed = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=made.path, capture_output=True, check=False
    )
    assert (listed.returncode, listed.stdout) == (0, b"")


def test_thumbnails_that_are_replaced_meanwhile(own: Config, backups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = next((own.home / "thumbnails" / "public").glob("*.zip"))
    before = path.stat()

    def copy_and_replace(*_: object) -> None:
        os.utime(path)

    monkeypatch.setattr(make, "copy_tables", copy_and_replace)
    whole = list_backups(backups)
    with pytest.raises(BackupOvertaken, match="Run the same command again"):
        make.back_up(own, backups, None, lambda _: None)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert list_backups(backups) == whole


def test_a_killed_backup_is_none(own: Config, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for moment in ("copying the tables", "trying the copy out", "computing checksums"):
        log = tmp_path / moment
        wait_for(functools.partial(_killed_at, own, folder, log, moment), lambda: "a backup goes on")
        with pytest.raises(NoBackup, match="one that was not completed"):
            choose_backup(folder)
    wait_for(functools.partial(_backed_up, own, folder), lambda: "a backup goes on")
    assert check_backup(choose_backup(folder), lambda _: None).tarballs >= 4


def _killed_at(config: Config, folder: Path, log: Path, moment: str) -> bool:
    """Kill a backup when it says these words; False where what an earlier one had started is still ending."""
    process = start(config, log, "backup", folder)
    wait_for(lambda: moment in log.read_text() or process.poll() is not None, log.read_text)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return moment in log.read_text()


def _backed_up(config: Config, folder: Path) -> bool:
    try:
        make.back_up(config, folder, None, lambda _: None)
    except BackupUnderWay:
        return False
    return True


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing):
        make.back_up(Config(home=tmp_path / "home"), tmp_path / "backups", None, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(own: Config, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    line = one_line(alertdb(own, "backup", tmp_path / "file" / "backups"))
    assert f"cannot be written to {tmp_path}/file/backups: " in line
    assert "Not a directory" in line
    assert "mend that, or name another folder" in line
    assert "make room" not in line
    line = one_line(alertdb(own, "backup", tmp_path / "file"))
    assert f"{tmp_path}/file File exists. " in line
    assert "make room" not in line


def test_a_full_disk(own: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small file system to fill")
    try:
        line = one_line(alertdb(own, "backup", small))
        assert f"MB on the disk of {small}, where 1 MB are free" in line
        monkeypatch.setattr(make, "_check_room", lambda *_: None)
        with pytest.raises(BackupNotWritten, match="No space left on device.*: make room "):
            make.back_up(own, small, None, lambda _: None)
        subprocess.run(["mount", "-o", "remount,size=60m", str(small)], check=True)
        with pytest.raises(BackupServerFailed, match="copying the tables failed") as failed:
            make.back_up(own, small, None, lambda _: None)
        assert "No space left on device" in str(failed.value)
        assert [path.name for path in (small / "unfinished").iterdir()] == ["thumbnails"]
        subprocess.run(["mount", "-o", "remount,size=2g", str(small)], check=True)
        assert make.back_up(own, small, None, lambda _: None).copied == 0  # they were there
    finally:
        subprocess.run(["umount", "--lazy", str(small)], check=True)
