"""The way back from a backup: everything is destroyed, and what comes back is equal."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from archives import differs, everything, load, stamps
from programs import alertdb

from alertdb.backup import make
from alertdb.backup.errors import (
    ArchiveNotEmpty,
    BackupDamaged,
    DataFolderUnnamed,
)
from alertdb.backup.layout import choose_backup
from alertdb.backup.restore import check_backup, restore
from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("innodb_log_file_size=16M",)


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
