from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from alertdb.config import Config, load_config
from alertdb.database import Account, connect, read_password
from alertdb.errors import ArchiveMissing, ConfigUnknown, ServerStartFailed, ServerStopped
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer


def test_start_and_stop_can_be_called_twice(tmp_path: Path) -> None:
    config = Config(home=tmp_path)
    server = PrivateServer(config.home)
    for _ in range(2):
        server.ensure_started()
        ensure_schema(config)
    with connect(config, Account.READER) as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM alerts").scalar() == 0
    assert server.ensure_stopped()
    assert not server.ensure_stopped()
    with pytest.raises(ServerStopped, match="alertdb start"):
        connect(config, Account.READER)


def test_server_survives_kill(tmp_path: Path) -> None:
    config = Config(home=tmp_path)
    server = PrivateServer(config.home)
    server.ensure_started()
    pid = server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.pid() is not None:
        time.sleep(0.01)
    server.ensure_started()
    assert server.pid() != pid
    server.ensure_stopped()


def test_only_the_owner_reaches_socket_and_secrets(server_config: Config) -> None:
    server = PrivateServer(server_config.home)
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(server_config.secrets.stat().st_mode) == 0o700
    for account in Account:
        assert stat.S_IMODE((server_config.secrets / account.value).stat().st_mode) == 0o600


def test_no_tcp_and_no_password_in_process_arguments(server_config: Config) -> None:
    server = PrivateServer(server_config.home)
    with connect(server_config, Account.READER) as connection:
        assert connection.exec_driver_sql("SELECT @@skip_networking").scalar() == 1
    arguments = Path(f"/proc/{server.pid()}/cmdline").read_text()
    for account in Account:
        password = read_password(server_config.secrets, account)
        assert password
        assert password not in arguments


def test_long_home_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("n" * 100)
    home.mkdir()
    server = PrivateServer(home)
    server.ensure_started()
    assert len(str(server.socket)) < 108
    server.ensure_stopped()
    server.socket.parent.rmdir()


def test_a_home_may_have_blanks_in_its_name(tmp_path: Path) -> None:
    server = PrivateServer(tmp_path / "my archive")
    server.ensure_started()
    assert server.ensure_stopped()


def test_unknown_option_is_named(tmp_path: Path) -> None:
    server = PrivateServer(tmp_path, ["no_such_option=1"])
    with pytest.raises(ServerStartFailed, match="no_such_option"):
        server.ensure_started()


def test_missing_archive_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissing, match="alertdb init"):
        connect(Config(home=tmp_path), Account.READER)


def test_settings_file_with_a_wrong_name(tmp_path: Path) -> None:
    (tmp_path / "alertdb.toml").write_text('databse_url = "mariadb://x"\n')
    with pytest.raises(ConfigUnknown, match="databse_url.*database_url"):
        load_config(tmp_path)


def test_environment_wins_over_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alertdb.toml").write_text('database_url = "mariadb://a/"\nthumbnails_url = "file:///a"\n')
    assert load_config(tmp_path).database_url == "mariadb://a/"
    monkeypatch.setenv("ALERTDB_HOME", str(tmp_path))
    monkeypatch.setenv("ALERTDB_DATABASE_URL", "mariadb://b/")
    config = load_config()
    assert (config.database_url, config.thumbnails) == ("mariadb://b/", "file:///a")


def test_reader_and_loader_have_no_more_rights_than_they_need(server_config: Config) -> None:
    refused = {
        Account.READER: ["DELETE FROM ztf.alerts", "CREATE TABLE ztf.x (a INT)", "SELECT * FROM mysql.user"],
        Account.LOADER: ["DROP TABLE ztf.alerts", "CREATE TABLE ztf.x (a INT)", "CREATE USER x@localhost"],
    }
    for account, statements in refused.items():
        for statement in statements:
            with connect(server_config, account) as connection, pytest.raises(Exception, match="denied"):
                connection.exec_driver_sql(statement)
