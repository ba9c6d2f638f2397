"""Damage of every kind, done behind the archive's back: `verify` names it, and nothing else."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archives import load
from plain import read_packets, stored_table

from alertdb.database import Account, connect
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import build_document
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources
from ingest.verification import check_archive, check_tarball

if TYPE_CHECKING:
    from alertdb.config import Config

KEYS = {"alerts_limmag": ("objectId", "jd", "fid"), "alerts_prv": ("objectId", "candid"),
        "alerts_forced": ("objectId", "jd", "fid")}  # fmt: skip


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("verified")
    return simulate_nights([20240101, 20240102, 20240104], 40, folder, seed=5, schema="4.02")


@pytest.fixture
def loaded(archive: Config, nights: list[Path]) -> Config:
    for tarball in (nights[1], nights[2], nights[0]):
        load(archive, tarball)
    return archive


def by_ledger(config: Config) -> list[str]:
    return [str(difference) for difference in check_archive(config, Ztf())]


def by_tarballs(config: Config, *tarballs: Path) -> list[str]:
    return [str(d) for source in find_sources(tarballs) for d in check_tarball(source, config, Ztf())]


def change(config: Config, *statements: str) -> None:
    with connect(config, Account.ADMIN) as connection:
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount == 1, statement
        connection.commit()


def test_an_undamaged_archive_has_no_difference(loaded: Config, nights: list[Path]) -> None:
    assert by_ledger(loaded) == []
    assert by_tarballs(loaded, *nights) == []


def test_real_tarballs_have_no_difference(archive: Config, real_tarballs: list[Path]) -> None:
    for tarball in reversed(real_tarballs):
        load(archive, tarball)
    assert by_tarballs(archive, *real_tarballs) == []
    assert by_ledger(archive) == []


def test_tarballs_that_share_alerts_have_no_difference(archive: Config, nights: list[Path], tmp_path: Path) -> None:
    with tarfile.open(nights[0]) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    halves = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"]
    for path, part in zip(halves, (members[:30], members[10:]), strict=True):
        with tarfile.open(path, "w:gz") as tar:
            for member, content in part:
                tar.addfile(member, io.BytesIO(content))
    for path in reversed(halves):
        load(archive, path)
        assert by_ledger(archive) == []
    assert by_tarballs(archive, *halves) == []


def test_one_bit_of_one_cell_of_an_alert(loaded: Config, nights: list[Path]) -> None:
    rows = stored_table(loaded, "alerts", ("candid",))
    alert = next(read_packets(nights[0]))
    candid, magpsf = alert["candid"], alert["candidate"]["magpsf"]
    assert rows[candid]["magpsf"] == magpsf
    change(loaded, f"UPDATE alerts SET magpsf = magpsf + 1e-6 WHERE candid = {candid}")
    found = stored_table(loaded, "alerts", ("candid",))[candid]["magpsf"]
    assert abs(found - magpsf) < 3e-6
    assert by_tarballs(loaded, *nights) == [f"alerts {candid} magpsf: {found!r} found, {magpsf!r} expected"]
    (line,) = by_ledger(loaded)
    assert line.startswith(f"alerts of {nights[0].name} checksum: ")


def test_null_instead_of_a_text_and_a_foreign_tarball(loaded: Config, nights: list[Path]) -> None:
    candid = next(read_packets(nights[1]))["candid"]
    change(loaded, f"UPDATE alerts SET rbversion = NULL, tarball = 17 WHERE candid = {candid}")
    assert [line.rsplit(":")[0] for line in by_tarballs(loaded, nights[1])] == [
        f"alerts {candid} rbversion",
        f"alerts {candid} tarball",
    ]
    lines = by_ledger(loaded)
    assert lines[0] == f"alerts of {nights[1].name} number: 39 found, 40 expected"
    assert lines[-1] == "alerts of tarball 17: 1 rows found, none, since the ledger lacks it, expected"


def test_an_alert_that_is_gone_and_one_too_many(loaded: Config, nights: list[Path]) -> None:
    candids = sorted(alert["candid"] for alert in read_packets(nights[0]))
    change(
        loaded,
        f"DELETE FROM alerts WHERE candid = {candids[3]}",
        f"UPDATE alerts SET candid = candid + 1 WHERE candid = {candids[5]}",
    )
    lines = by_tarballs(loaded, nights[0])
    assert lines == [
        f"alerts {candids[3]}: nothing found, a row expected",
        f"alerts {candids[5]}: nothing found, a row expected",
        f"alerts {candids[5] + 1}: a row of {nights[0].name} found, nothing expected",
    ]
    lines = by_ledger(loaded)
    assert f"alerts of {nights[0].name} number: 39 found, 40 expected" in lines
    assert f"thumbnails {candids[3]}: a document found, nothing, since there is no such alert, expected" in lines


@pytest.mark.parametrize("table", KEYS)
def test_a_changed_row_of_a_shared_table(loaded: Config, nights: list[Path], table: str) -> None:
    key, row = next(iter(stored_table(loaded, table, KEYS[table]).items()))
    where = " AND ".join(f"{name} = {value!r}" for name, value in zip(KEYS[table], key, strict=True))
    change(loaded, f"UPDATE {table} SET diffmaglim = diffmaglim + 1 WHERE {where}")
    name = "/".join(str(part) for part in key)
    assert by_ledger(loaded) == [f"{table} {name}: a changed row found, the row as it was loaded expected"]
    expected = f"{table} {name} diffmaglim: {row['diffmaglim'] + 1!r} found, {row['diffmaglim']!r} expected"
    assert set(by_tarballs(loaded, *nights)) == {expected}


@pytest.mark.parametrize("table", KEYS)
def test_a_row_of_a_shared_table_that_is_gone(loaded: Config, nights: list[Path], table: str) -> None:
    rows = stored_table(loaded, table, KEYS[table])
    key = next(iter(rows))
    where = " AND ".join(f"{name} = {value!r}" for name, value in zip(KEYS[table], key, strict=True))
    change(loaded, f"DELETE FROM {table} WHERE {where}")
    lines = by_ledger(loaded)
    assert lines[0] == f"{table} number of rows: {len(rows) - 1} found, {len(rows)} expected"
    assert lines[1].startswith(f"{table} checksum of all rows: ")
    assert len(lines) == 2
    assert f"{table} {'/'.join(str(part) for part in key)}: nothing found, a row expected" in by_tarballs(
        loaded, *nights
    )


def test_a_history_detection_whose_alert_is_in(loaded: Config) -> None:
    name, candid = next(iter(stored_table(loaded, "alerts_prv", KEYS["alerts_prv"])))
    alert = next(iter(stored_table(loaded, "alerts", ("candid",))))
    change(loaded, f"UPDATE alerts_prv SET candid = {alert} WHERE objectId = '{name}' AND candid = {candid}")
    expected = f"alerts_prv {name}/{alert}: a row found, nothing, since its alert is in, expected"
    assert expected in by_ledger(loaded)


def test_rejects(archive: Config, real_tarballs: list[Path]) -> None:
    load(archive, real_tarballs[0])
    rows = stored_table(archive, "rejects", ("position",))
    first, second = sorted(rows)
    change(
        archive,
        f"UPDATE rejects SET reason = 'none' WHERE position = {first}",
        f"UPDATE rejects SET position = 5 WHERE position = {second}",
    )
    assert by_tarballs(archive, real_tarballs[0]) == [
        f"rejects {second}/{rows[second]['member']}: nothing found, a row expected",
        f"rejects {first}/{rows[first]['member']} reason: 'none' found, {rows[first]['reason']!r} expected",
        f"rejects 5/{rows[second]['member']}: a row found, nothing expected",
    ]
    change(archive, "DELETE FROM rejects WHERE position = 5")
    assert by_ledger(archive) == [f"rejects of {real_tarballs[0].name}: 1 rows found, 2 expected"]


def sealed_file(config: Config, tarball: Path) -> Path:
    return Path(config.thumbnails.removeprefix("file://")) / "public" / f"{tarball.name}.zip"


def test_a_damaged_byte_of_a_stamp(loaded: Config, nights: list[Path]) -> None:
    alert = next(read_packets(nights[2]))
    path = sealed_file(loaded, nights[2])
    content = bytearray(path.read_bytes())
    content[content.index(alert["cutoutTemplate"]["stampData"]) + 100] ^= 4
    path.chmod(0o644)
    path.write_bytes(content)
    for lines in (by_ledger(loaded), by_tarballs(loaded, nights[2])):
        (line,) = lines
        assert line.startswith("thumbnails")
        assert str(alert["candid"]) in line
        assert "CRC-32" in line


def test_stamps_of_another_alert_missing_ones_and_orphans(loaded: Config, nights: list[Path]) -> None:
    alerts = list(read_packets(nights[2]))
    stamps = [{kind: alert[f"cutout{kind.title()}"]["stampData"] for kind in ("science", "template", "difference")}
              for alert in alerts]  # fmt: skip
    stamps[0]["science"] = stamps[1]["science"][:200]
    documents = [(alert["candid"], build_document(kinds)) for alert, kinds in zip(alerts, stamps, strict=True)]
    store = open_store(loaded.thumbnails, readonly=False)
    with store.writer(nights[2].name, "public") as writer:
        writer.put_many([*documents[:7], (1, documents[7][1]), *documents[9:]])
    with store.writer("other", "partnership") as writer:
        writer.put_many(documents[:2])
    missing = [f"thumbnails {candid}: nothing found, a document expected" for candid, _ in documents[7:9]]
    lines = by_tarballs(loaded, nights[2])
    assert len(lines) == 3
    assert lines[0].startswith(f"thumbnails {alerts[0]['candid']} science: 200 bytes, ")
    assert lines[1:] == missing
    assert by_ledger(loaded) == [
        "thumbnails of other: 2 documents (partnership) found, none, since the ledger lacks it, expected",
        "thumbnails 1: a document found, nothing, since there is no such alert, expected",
        f"thumbnails of {nights[2].name} number: 39 found, 40 expected",
        *missing,
    ]


def test_stamps_in_the_wrong_rights_class(loaded: Config, nights: list[Path]) -> None:
    path = sealed_file(loaded, nights[0])
    (path.parent.parent / "partnership").mkdir()
    path.rename(path.parent.parent / "partnership" / path.name)
    lines = by_ledger(loaded)
    assert len(lines) == 40
    assert all(line.endswith(" rights: partnership found, public expected") for line in lines)


def verify(config: Config, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ALERTDB_HOME": str(config.home), "ALERTDB_THUMBNAILS_URL": config.thumbnails}
    command = [sys.executable, "-m", "alertdb.cli.main", "verify", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_command(loaded: Config, nights: list[Path], tmp_path: Path) -> None:
    ended = verify(loaded)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Verified the archive: no difference, ")
    change(loaded, *(f"DELETE FROM alerts_limmag LIMIT {n}" for n in (1, 1)))
    ended = verify(loaded, "--limit", "1")
    assert ended.returncode == 1
    assert ended.stdout.count("\n") == 2
    assert "2 differences, 1 of them shown" in ended.stdout
    ended = verify(loaded, "--accept")
    assert ended.returncode == 0
    assert ended.stdout.startswith("alerts_limmag: its rows as they are now were recorded as right\n")
    other = tmp_path / nights[0].name
    shutil.copy(nights[1], other)
    ended = verify(loaded, str(other))
    assert ended.returncode == 1
    assert ended.stdout.startswith(f"tarballs {other.name} sha256: ")
    shutil.copy(nights[1], tmp_path / "new.tar.gz")
    ended = verify(loaded, str(tmp_path / "new.tar.gz"))
    assert (ended.returncode, ended.stdout.count("\n")) == (1, 2)
    assert "tarballs new.tar.gz: nothing found" in ended.stdout
