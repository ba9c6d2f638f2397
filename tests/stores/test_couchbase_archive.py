"""A whole archive whose thumbnails are in Couchbase: real MariaDB, real packets, the commands as users call them."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import couchbase_server
import pytest
from archives import everything, load
from couchbase.options import GetMultiOptions
from couchbase.transcoder import RawBinaryTranscoder
from couchbase_front import CHANGES
from plain import read_packets, stored_table

from alertdb.cli import main
from alertdb.thumbnails import open_store
from alertdb.thumbnails.couchbase.errors import CouchbaseSilent
from alertdb.thumbnails.couchbase.store import CouchbaseStore
from alertdb.thumbnails.document import read_document
from ingest.remove import remove_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.verification import check_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from couchbase_front import Frame
    from couchbase_server import CouchbaseServer

    from alertdb.config import Config


@pytest.fixture
def clustered(archive: Config, server: CouchbaseServer) -> Config:
    """Return the settings of an empty archive with its thumbnails in Couchbase."""
    return replace(archive, thumbnails_url=server.url)


@pytest.fixture
def run(
    clustered: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Call the program on that archive; return its exit code and what it printed."""
    monkeypatch.setenv("ALERTDB_HOME", str(clustered.home))
    monkeypatch.setenv("ALERTDB_THUMBNAILS_URL", clustered.thumbnails)

    def run(*arguments: object) -> tuple[int, str]:
        code = main.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated tarball of 700 alerts: two parts of a list."""
    return simulate_nights([20240110], 700, tmp_path_factory.mktemp("clustered"), seed=3)[0]


def test_every_stamp_of_the_real_tarballs(
    clustered: Config, server: CouchbaseServer, real_tarballs: list[Path]
) -> None:
    """By the SDK alone: the key is the candid, the value the ZIP, in the bucket of the programid."""
    load(clustered, *real_tarballs)
    kinds = {"science": "cutoutScience", "template": "cutoutTemplate", "difference": "cutoutDifference"}
    options = GetMultiOptions(transcoder=RawBinaryTranscoder(), return_exceptions=True)
    buckets = {rights: server.documents(rights) for rights in ("public", "partnership")}
    count = 0
    for tarball in real_tarballs:
        alerts = {str(alert["candid"]): alert for alert in read_packets(tarball)}
        found = {rights: bucket.get_multi([*alerts], options).results for rights, bucket in buckets.items()}
        for key, alert in alerts.items():
            public = alert["candidate"]["programid"] == 1
            (here, elsewhere) = ("public", "partnership") if public else ("partnership", "public")
            stamps = read_document(found[here][key].value)
            assert stamps == {kind: alert[field]["stampData"] for kind, field in kinds.items()}
            assert key not in found[elsewhere]
            count += 1
    assert count == 139
    assert list(check_archive(clustered, Ztf())) == []


def test_verify_finds_what_the_cluster_lost(clustered: Config, server: CouchbaseServer, night: Path) -> None:
    load(clustered, night)
    candids = sorted(row["candid"] for row in stored_table(clustered, "alerts", ("candid",)).values())
    server.documents("public").remove(str(candids[5]))
    where = f"couchbase://127.0.0.1:{server.front.port}/thumbnails-public"
    (found,) = check_archive(clustered, Ztf())
    assert f"The thumbnail of {candids[5]} in {where} is damaged: it is not there. Restore it" in str(found)


def test_a_tarball_leaves(clustered: Config, night: Path) -> None:
    load(clustered, night)
    assert [tarball.documents for tarball in open_store(clustered.thumbnails).tarballs()] == [700]
    assert remove_tarball(night.name, clustered, Ztf()) is not None
    assert open_store(clustered.thumbnails).tarballs() == []
    assert list(check_archive(clustered, Ztf())) == []


def test_the_commands(run: Callable[..., tuple[int, str]], clustered: Config, night: Path, tmp_path: Path) -> None:
    load(clustered, night)
    candid = min(row["candid"] for row in stored_table(clustered, "alerts", ("candid",)).values())
    assert run("thumbnails", candid, "--format", "fits", "--output", tmp_path)[0] == 0
    alert = next(alert for alert in read_packets(night) if alert["candid"] == candid)
    assert (tmp_path / f"{candid}_science.fits.gz").read_bytes() == alert["cutoutScience"]["stampData"]
    code, printed = run("thumbnails", 12345)
    assert code == 1
    assert f"Error: There is no thumbnail of candid 12345 in {clustered.thumbnails}. Check the number" in printed
    assert f"B in {clustered.thumbnails}" in run("status")[1]
    assert "answers: 700 thumbnails" in run("doctor", "--format", "csv")[1]


def test_tarballs_whose_names_differ_by_their_ending_alone(archive: Config, url: str, tmp_path: Path) -> None:
    first, second = simulate_nights([20240110, 20240111], 40, tmp_path / "nights", seed=9)
    first.rename(tmp_path / "night.tar.gz")
    (tmp_path / "night.tar").write_bytes(gzip.decompress(second.read_bytes()))
    own = replace(archive, thumbnails_url=url)
    load(own, tmp_path / "night.tar.gz", tmp_path / "night.tar")
    assert [t.tarball for t in open_store(url).tarballs()] == ["night.tar", "night.tar.gz"]
    assert list(check_archive(own, Ztf())) == []
    remove_tarball("night.tar", own, Ztf())
    assert [t[1:3] for t in open_store(url).tarballs()] == [("night.tar.gz", 40)]
    assert list(check_archive(own, Ztf())) == []


@pytest.mark.usefixtures("impatient")
def test_a_cluster_that_goes_while_a_night_is_loaded(clustered: Config, server: CouchbaseServer, night: Path) -> None:
    seen = []

    def gone(frame: Frame) -> bool:
        seen.append(frame)
        return len(seen) > 300

    server.front.watch = gone
    with pytest.raises(CouchbaseSilent):
        load(clustered, night)
    server.front.forget()
    assert stored_table(clustered, "alerts", ("candid",)) == {}
    load(clustered, night)
    assert list(check_archive(clustered, Ztf())) == []
    assert CouchbaseStore(clustered.thumbnails).unfinished() == []


@pytest.mark.parametrize("kill_at", [400, 704])  # a document, the seal
def test_a_load_that_is_killed_and_run_again(
    clustered: Config, server: CouchbaseServer, night: Path, kill_at: int
) -> None:
    changes = []
    environment = {**os.environ, "ALERTDB_HOME": str(clustered.home), "ALERTDB_THUMBNAILS_URL": server.url}
    command = [sys.executable, "-m", "alertdb.cli.main", "ingest", str(night)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:

        def kill(frame: Frame) -> bool:
            changes.append(frame.opcode in CHANGES)
            if sum(changes) == kill_at:
                process.kill()
                return True
            return False

        server.front.watch = kill
    assert process.returncode == -9
    server.front.forget()
    assert stored_table(clustered, "alerts", ("candid",)) == {}
    assert open_store(clustered.thumbnails).tarballs() == []

    load(clustered, night)
    assert list(check_archive(clustered, Ztf())) == []
    assert CouchbaseStore(clustered.thumbnails).unfinished() == []
    assert len(everything(clustered)["alerts"]) == 700
    assert couchbase_server.PASSWORD not in " ".join(command)
