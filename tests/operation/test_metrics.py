"""`alertdb metrics` scraped over HTTP, and compared with what plain SQL and the file system say."""

from __future__ import annotations

import re
import shutil
import signal
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from archives import load
from conftest import ROOT
from plain import stored_table
from programs import alertdb, start, wait_for

from alertdb.database import Account, connect
from alertdb.server import PrivateServer
from alertdb.watches import Failed, Watch, write_watch
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.turns import spool_folder, turn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.config import Config

SAMPLE = re.compile(r"(\w+(?:\{[^}]*\})?) (\S+)")


class Endpoint:
    """A running `alertdb metrics`."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process = process
        self._address = address

    def scrape(self) -> dict[str, float]:
        """Return the value of each series, by its name and labels as written."""
        with urllib.request.urlopen(self._address, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            lines = answer.read().decode().splitlines()
        samples = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
        return {sample[1]: float(sample[2]) for sample in samples if sample is not None}


@pytest.fixture
def endpoint(archive: Config, tmp_path: Path) -> Iterator[Endpoint]:
    log = tmp_path / "log"
    process = start(archive, log, "metrics", "--listen", "127.0.0.1:0")
    wait_for(lambda: "http://" in log.read_text() or process.poll() is not None, log.read_text)
    address = re.search(r"http://\S+", log.read_text())
    assert address is not None, log.read_text()
    yield Endpoint(process, address[0])
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "Traceback" not in log.read_text()


def utc(when: datetime) -> float:
    return when.replace(tzinfo=UTC).timestamp()


def test_the_numbers_are_those_of_the_archive(archive: Config, endpoint: Endpoint, tmp_path: Path) -> None:
    empty = endpoint.scrape()
    assert empty["alertdb_up"] == 1
    assert empty["alertdb_alerts"] == 0
    assert "alertdb_newest_night_timestamp_seconds" not in empty

    nights = simulate_nights([20240301, 20240302], 50, tmp_path, seed=3, programs=("public", "partnership"))
    load(archive, *nights)
    found = endpoint.scrape()
    ledger = stored_table(archive, "tarballs", ("name",))
    assert found['alertdb_tarballs{state="complete"}'] == len(ledger) == 4
    assert found["alertdb_alerts"] == sum(row["alerts"] for row in ledger.values())
    assert found["alertdb_alerts"] == len(stored_table(archive, "alerts", ("candid",)))
    assert found["alertdb_rejects"] == 0
    assert found["alertdb_newest_night_timestamp_seconds"] == 1709337600  # date -u -d 2024-03-02 +%s
    newest = max(row["loaded_at"] for row in ledger.values())
    assert found["alertdb_newest_load_timestamp_seconds"] == pytest.approx(utc(newest), abs=0.001)
    newest_jd = max(row["jd"] for row in stored_table(archive, "alerts", ("candid",)).values())
    assert found["alertdb_newest_alert_timestamp_seconds"] == pytest.approx((newest_jd - 2440587.5) * 86400, abs=0.01)
    assert found['alertdb_table_bytes{database="ztf",table="alerts"}'] > 0
    assert 1 <= found["alertdb_server_connections"] <= found["alertdb_server_max_connections"]
    sealed = list((tmp_path / "thumbnails" / "public").iterdir())
    assert found['alertdb_thumbnails_files{rights="public"}'] == len(sealed)
    assert found['alertdb_thumbnails_bytes{rights="public"}'] == sum(path.stat().st_size for path in sealed)
    assert found['alertdb_disk_size_bytes{place="database"}'] == shutil.disk_usage(archive.home).total


def test_loads_watched_folders_and_backups_are_seen(archive: Config, endpoint: Endpoint, tmp_path: Path) -> None:
    failed = Failed("a.tar.gz", 1, 1, "it is damaged", 1.0)
    write_watch(archive, Watch(str(tmp_path), looked_at=1234.5, waiting=3, failed=(failed,)), tmp_path)
    words = '{"path": "/backups", "made_at": "2024-03-02T00:00:00+00:00", "bytes": 12345}'
    (archive.home / "last_backup.json").write_text(words)
    (archive.spool / "left.tar.gz.abc").mkdir(parents=True)  # by a load that was killed
    try:
        with turn(archive, Ztf(), "n.tar.gz"), spool_folder(archive.spool, "n.tar.gz"):
            found = endpoint.scrape()
    finally:
        (archive.spool / "left.tar.gz.abc").rmdir()
    assert found["alertdb_loads_in_progress"] == 1
    assert endpoint.scrape()["alertdb_loads_in_progress"] == 0
    folder = f'{{folder="{tmp_path}"}}'
    assert found[f"alertdb_watch_waiting_tarballs{folder}"] == 3
    assert found[f"alertdb_watch_failed_tarballs{folder}"] == 1
    assert found[f"alertdb_watch_last_look_timestamp_seconds{folder}"] == 1234.5
    assert found["alertdb_last_backup_timestamp_seconds"] == 1709337600
    assert found["alertdb_last_backup_bytes"] == 12345


def test_when_the_watchdog_looked_is_seen(archive: Config, endpoint: Endpoint) -> None:
    with connect(archive, Account.ADMIN, "alertdb_people") as connection:
        connection.exec_driver_sql("DELETE FROM looks")
        connection.commit()
        assert "alertdb_watchdog_last_look_timestamp_seconds" not in endpoint.scrape()
        connection.exec_driver_sql("INSERT INTO looks SET at = UTC_TIMESTAMP(6)")
        connection.commit()
        found = endpoint.scrape()["alertdb_watchdog_last_look_timestamp_seconds"]
        (at,) = connection.exec_driver_sql("SELECT at FROM looks").scalars()
    assert found == pytest.approx(utc(at), abs=0.001)


def test_a_server_that_is_away_is_a_number(archive: Config, endpoint: Endpoint) -> None:
    server = PrivateServer(archive.home, archive.server_options)
    server.ensure_stopped()
    try:
        found = endpoint.scrape()
        assert found["alertdb_up"] == 0
        assert found['alertdb_disk_free_bytes{place="home"}'] > 0
        assert "alertdb_alerts" not in found
    finally:
        server.ensure_started()
    assert endpoint.scrape()["alertdb_up"] == 1


def test_the_runbook_names_numbers_that_there_are() -> None:
    named = set(re.findall(r"alertdb_[a-z_]+", (ROOT / "docs" / "runbook.md").read_text()))
    source = (ROOT / "alertdb" / "metrics" / "collector.py").read_text()
    served = {f"alertdb_{name}" for name in re.findall(r'_(?:gauge|one|many)\("(\w+)"', source)} | {"alertdb_info"}
    assert named == served


@pytest.mark.parametrize("listen", ["9170", "localhost", "localhost:x", "localhost:99999", "http://localhost:1"])
def test_an_address_that_is_none(archive: Config, listen: str) -> None:
    from alertdb.metrics.errors import BadListenAddress
    from alertdb.metrics.serving import serve

    with pytest.raises(BadListenAddress, match=r"expected HOST:PORT"):
        serve(archive, listen)


@pytest.mark.usefixtures("endpoint")
def test_an_address_that_is_taken(archive: Config, tmp_path: Path) -> None:
    taken = re.search(r"127\.0\.0\.1:\d+", (tmp_path / "log").read_text())
    assert taken is not None
    done = alertdb(archive, "metrics", "--listen", taken[0])
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: Metrics cannot be served at {taken[0]}: Address already in use")
