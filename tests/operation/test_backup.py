"""Backups and the way back: everything is destroyed, and what comes back is equal, whatever died on the way."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from archives import differs, everything, load
from plain import stored_table
from programs import alertdb, start, wait_for

from alertdb.backup import make
from alertdb.backup.errors import (
    ArchiveNotEmpty,
    BackupDamaged,
    BackupNotWritten,
    BackupOvertaken,
    BackupServerFailed,
    BackupUnderWay,
    DataFolderUnnamed,
    NoBackup,
)
from alertdb.backup.layout import choose_backup, list_backups
from alertdb.backup.restore import check_backup, restore
from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.errors import ArchiveMissing
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPTIONS = ("innodb_log_file_size=16M",)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("nights")
    return simulate_nights([20240301, 20240302, 20240303], 100, folder, seed=3, programs=("public", "partnership"))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, nights: list[Path]) -> Iterator[Config]:
    """Settings of an archive of two nights with a server of its own; its backups lie beside it."""
    config = Config(home=tmp_path_factory.mktemp("own") / "home", server_options=OPTIONS)
    server = PrivateServer(config.home, OPTIONS)
    server.ensure_started()
    try:
        ensure_schema(config)
        (config.home / "alertdb.toml").write_text(f"server_options = {list(OPTIONS)}\n")
        load(config, *nights[:4])
        yield config
    finally:
        server.ensure_stopped()


@pytest.fixture(scope="module")
def backups(own: Config) -> Path:
    """A folder with one whole backup of that archive."""
    folder = own.home.parent / "backups"
    done = alertdb(own, "backup", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Config]:
    """Settings of an empty home; a server that comes to run there is stopped."""
    config = Config(home=tmp_path / "home")
    yield config
    PrivateServer(config.home).ensure_stopped()


def stamps(config: Config) -> dict[str, bytes]:
    folder = config.home / "thumbnails"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.zip"))}


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
    return line


def test_destroyed_and_brought_back(tmp_path: Path, nights: list[Path], home: Config) -> None:
    server = PrivateServer(home.home, OPTIONS)
    server.ensure_started()
    ensure_schema(home)
    load(home, *nights[:2])
    with connect(home, Account.ADMIN, database=None) as connection:
        for statement in (
            "CREATE USER gh7@'%' IDENTIFIED BY 'of gh7'",
            "CREATE DATABASE my_7",
            "CREATE TABLE my_7.targets (name VARCHAR(20) PRIMARY KEY) ENGINE = Aria",
            "INSERT INTO my_7.targets VALUES ('SN 2011fe')",
            "CREATE DATABASE my_8",
            "GRANT SELECT ON my_7.* TO gh7@'%'",
        ):
            connection.exec_driver_sql(statement)
    make.back_up(home, tmp_path / "backups", None, lambda _: None)
    load(home, *nights[2:4])
    second = alertdb(home, "backup", tmp_path / "backups")
    assert second.returncode == 0, second.stderr
    assert "of the files of thumbnails 2 copied, 2 shared with the backup before" in second.stdout
    before: Any = (everything(home), stamps(home))
    secrets = {path.name: path.read_text() for path in home.secrets.iterdir()}

    with pytest.raises(ArchiveNotEmpty, match="a restore never writes over an archive"):
        restore(home.home, choose_backup(tmp_path / "backups"), None, lambda _: None)
    server.ensure_stopped()
    shutil.rmtree(home.home)
    done = alertdb(home, "restore", tmp_path / "backups")
    assert done.returncode == 0, done.stderr
    assert (everything(home), stamps(home)) == before
    assert {path.name: path.read_text() for path in home.secrets.iterdir()} == secrets
    assert {path.stat().st_mode & 0o777 for path in home.secrets.iterdir()} == {0o600}
    assert home.secrets.stat().st_mode & 0o777 == 0o700
    assert not differs(home)
    with (
        mariadb.connect(unix_socket=str(server.socket), user="gh7", password="of gh7") as connection,  # noqa: S106
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT name FROM my_7.targets")
        assert cursor.fetchall() == [("SN 2011fe",)]
    with connect(home, Account.ADMIN, database=None) as connection:
        assert connection.exec_driver_sql("SHOW DATABASES LIKE 'my\\_8'").all() == [("my_8",)]


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


def damage_stamps(backup: Path) -> str:
    path = next((backup / "thumbnails" / "public").glob("*.zip"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)
    return f"thumbnails/public/{path.name} is not as it was written"


def damage_tables(backup: Path) -> str:
    (backup / "mariadb" / "data" / "ztf" / "alerts.ibd").unlink()
    return "mariadb/data/ztf/alerts.ibd is missing"


def damage_list(backup: Path) -> str:
    lines = (backup / "SHA256SUMS").read_text().splitlines(keepends=True)
    (backup / "SHA256SUMS").unlink()
    (backup / "SHA256SUMS").write_text("".join(lines[:-1]))
    return "SHA256SUMS is not the list that was written"


def test_a_damaged_backup_is_not_restored(backups: Path, home: Config, tmp_path: Path) -> None:
    whole = choose_backup(backups)
    for number, damage in enumerate((damage_stamps, damage_tables, damage_list)):
        backup = tmp_path / str(number)
        shutil.copytree(whole, backup, copy_function=os.link)
        words = damage(backup)
        with pytest.raises(BackupDamaged, match=words):
            check_backup(backup, lambda _: None)
        with pytest.raises(BackupDamaged, match=words):
            restore(home.home, backup, None, lambda _: None)
        assert not PrivateServer(home.home).exists
        assert stamps(home) == {}
    check_backup(whole, lambda _: None)


def test_a_restore_that_was_killed_begins_anew(
    own: Config, backups: Path, home: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALERTDB_THUMBNAILS_URL", raising=False)
    monkeypatch.setattr(PrivateServer, "adopt", lambda *_: os._exit(9))
    if (child := os.fork()) == 0:
        restore(home.home, choose_backup(backups), None, lambda _: None)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert stamps(home) != {}
    done = alertdb(home, "restore", backups)
    assert done.returncode == 0, done.stderr
    assert stamps(home).keys() <= stamps(own).keys()
    assert sorted(path.name for path in home.home.iterdir()) == ["alertdb.toml", "mariadb", "secrets", "thumbnails"]


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing):
        make.back_up(Config(home=tmp_path / "home"), tmp_path / "backups", None, lambda _: None)
    assert list(tmp_path.iterdir()) == []


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
        with pytest.raises(BackupNotWritten, match="No space left on device"):
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


def test_a_server_that_is_named_by_a_url(own: Config, tmp_path: Path) -> None:
    socket = PrivateServer(own.home).socket
    password = (own.secrets / "admin").read_text().strip()
    shutil.copytree(own.secrets, tmp_path / "home" / "secrets")
    (tmp_path / "home" / "secrets" / "admin").unlink()
    url = f"mariadb://root:{password}@localhost/?unix_socket={socket}"
    thumbnails = (own.home / "thumbnails").as_uri()
    config = Config(home=tmp_path / "home", database_url=url, thumbnails_url=thumbnails)
    made = make.back_up(config, tmp_path / "backups", None, lambda _: None)
    assert made.facts.tarballs >= 4

    new = tmp_path / "new"
    (new / "home").mkdir(parents=True)
    (new / "home" / "alertdb.toml").write_text('database_url = "mariadb://root@localhost/"\n')
    there = Config(home=new / "home")
    with pytest.raises(DataFolderUnnamed, match="name its data folder"):
        restore(there.home, made.path, None, lambda _: None)
    done = alertdb(there, "restore", tmp_path / "backups", "--data-directory", new / "mariadb" / "data")
    assert done.returncode == 0, done.stderr
    (new / "secrets").symlink_to(there.secrets)
    (new / "thumbnails").symlink_to(there.home / "thumbnails")
    shutil.copy(own.secrets / "admin", there.secrets / "admin")
    restored = Config(home=new, server_options=OPTIONS)
    server = PrivateServer(new, OPTIONS)
    server.ensure_started()
    try:
        assert everything(restored) == everything(own)
    finally:
        server.ensure_stopped()
