"""Tarballs that leave or are replaced: the archive equals one that never had them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load
from hostile import make_tarball, members_of
from plain import differences, expected_tables, read_packets, stored_table

from alertdb.database import Account, connect
from alertdb.errors import UnknownTarball
from alertdb.thumbnails import open_store
from ingest.ledger import tarball_id
from ingest.remove import remove_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.verification import check_archive

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config
    from ingest.removal import Removed


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("removed")
    return simulate_nights([20240101, 20240102, 20240104], 60, folder, seed=5, schema="4.02")


def remove(config: Config, tarball: Path, *places: Path, dry_run: bool = False) -> Removed:
    removed = remove_tarball(tarball.name, config, Ztf(), places, dry_run=dry_run)
    assert removed is not None
    return removed


def state(config: Config) -> dict[str, Any]:
    """Tables, and which thumbnails lie where."""
    store = open_store(config.thumbnails, readonly=False)
    tables = everything(config)
    # What a table must hold is recorded once it was touched: none is the same as nothing.
    tables["table_checksums"] = {name: row for name, row in tables["table_checksums"].items() if row["row_count"]}
    return {**tables, "thumbnails": [(sealed.rights, sealed.tarball, sealed.documents) for sealed in store.tarballs()]}


def never_had(config: Config, *tarballs: Path) -> dict[str, Any]:
    """Load these into an empty archive and return its state; the archive is as it was before, empty tables apart."""
    empty_tables(config)
    shutil.rmtree(config.thumbnails.removeprefix("file://"), ignore_errors=True)
    for tarball in tarballs:
        load(config, tarball)
    return state(config)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_night_among_others(archive: Config, nights: list[Path], gone: int) -> None:
    rest = [tarball for number, tarball in enumerate(nights) if number != gone]
    load(archive, *nights)
    removed = remove(archive, nights[gone], nights[0].parent)
    after = state(archive)
    assert differences(expected_tables(rest), archive) == []
    assert list(check_archive(archive, Ztf())) == []
    assert after == never_had(archive, *rest)
    assert (removed.alerts, removed.handed_over, list(removed.missing), removed.left) == (60, 0, [], {})


def test_the_only_tarball(archive: Config, nights: list[Path]) -> None:
    load(archive, nights[0])
    remove(archive, nights[0])
    assert state(archive) == never_had(archive)


def test_real_nights_one_after_the_other(archive: Config, real_tarballs: list[Path]) -> None:
    load(archive, *real_tarballs)
    for number in (0, len(real_tarballs) // 2, len(real_tarballs) - 1):
        remove(archive, real_tarballs[number], real_tarballs[0].parent)
    rest = [t for n, t in enumerate(real_tarballs) if n not in (0, len(real_tarballs) // 2, len(real_tarballs) - 1)]
    assert differences(expected_tables(rest), archive) == []
    after = state(archive)
    assert after == never_had(archive, *rest)


@pytest.mark.parametrize("gone", ["a", "b", "c"])
def test_alerts_that_other_tarballs_hold_too(archive: Config, nights: list[Path], tmp_path: Path, gone: str) -> None:
    members = members_of(nights[0])
    parts = {"a": members[:40], "b": members[20:], "c": members[30:50]}
    tarballs = {name: make_tarball(tmp_path / "t" / f"{name}.tar.gz", part) for name, part in parts.items()}
    for name in ("c", "a", "b"):
        load(archive, tarballs[name])
    removed = remove(archive, tarballs[gone], tmp_path / "t")
    rest = [tarball for name, tarball in tarballs.items() if name != gone]
    assert (removed.alerts, removed.handed_over) == {"a": (20, 20), "b": (10, 10), "c": (0, 0)}[gone]
    after = state(archive)
    assert list(check_archive(archive, Ztf())) == []
    assert after == never_had(archive, *rest)


def test_what_is_not_at_hand_is_listed_and_comes_back_later(archive: Config, nights: list[Path]) -> None:
    load(archive, *nights)
    removed = remove(archive, nights[2], nights[0])
    assert removed.missing == [nights[1].name]
    expected = expected_tables(nights[:2])
    lost: dict[str, int] = {}
    for table, key in (("alerts_limmag", ("objectId", "jd", "fid")), ("alerts_prv", ("objectId", "candid")),
                       ("alerts_forced", ("objectId", "jd", "fid"))):  # fmt: skip
        for name in expected[table].keys() - stored_table(archive, table, key).keys():
            lost[name[0]] = lost.get(name[0], 0) + 1
    assert lost
    assert all(removed.left[name] >= count for name, count in lost.items())
    load(archive, nights[1], replace=True, neighbours=[nights[0].parent])
    after = state(archive)
    assert after == never_had(archive, *nights[:2])


def test_a_dry_run_changes_nothing(archive: Config, nights: list[Path]) -> None:
    load(archive, *nights)
    before = state(archive)
    planned = remove(archive, nights[1], nights[0].parent, dry_run=True)
    assert state(archive) == before
    assert remove(archive, nights[1], nights[0].parent) == planned


def test_twice_and_after_an_interruption(archive: Config, nights: list[Path]) -> None:
    load(archive, *nights[:2])
    store = open_store(archive.thumbnails, readonly=False)
    remove(archive, nights[1], nights[0].parent)
    with store.writer(nights[1].name, "public") as writer:  # as if killed after the commit
        writer.put_many([(1, b"x")])
    assert remove_tarball(nights[1].name, archive, Ztf()) is None
    after = state(archive)
    with pytest.raises(UnknownTarball):
        remove_tarball(nights[1].name, archive, Ztf())
    assert after == never_had(archive, nights[0])


def reissue(tarball: Path, folder: Path) -> Path:
    """The same night once more: some alerts withdrawn, some that were not there before."""
    folder.mkdir()
    other = simulate_nights([20240102], 75, folder / "more", seed=5, schema="4.02")[0]
    members = members_of(tarball)[10:] + [m for m in members_of(other) if m not in members_of(tarball)][:10]
    return make_tarball(folder / tarball.name, members)


def test_a_reissued_night(archive: Config, nights: list[Path], tmp_path: Path) -> None:
    new = reissue(nights[1], tmp_path / "new")
    load(archive, *nights)
    (outcome,) = load(archive, new, replace=True, neighbours=[nights[0].parent])
    assert outcome.removed is not None
    assert outcome.removed.alerts == 60
    after = state(archive)
    tarballs = [nights[0], new, nights[2]]
    assert differences(expected_tables(tarballs), archive) == []
    assert list(check_archive(archive, Ztf())) == []
    gone = {a["candid"] for a in read_packets(nights[1])} - {a["candid"] for a in read_packets(new)}
    assert len(gone) == 10
    assert list(open_store(archive.thumbnails).get_many(sorted(gone))) == []
    assert after == never_had(archive, *tarballs)
    (outcome,) = load(archive, new)
    assert outcome.skipped.startswith("already loaded")


def test_a_reissue_of_a_tarball_that_shares_alerts(archive: Config, nights: list[Path], tmp_path: Path) -> None:
    members = members_of(nights[0])
    old = make_tarball(tmp_path / "t" / "a.tar.gz", members[:40])
    other = make_tarball(tmp_path / "t" / "b.tar.gz", members[20:])
    new = make_tarball(tmp_path / "new" / "a.tar.gz", members[30:45])
    load(archive, old, other)
    load(archive, new, replace=True, neighbours=[other])
    after = state(archive)
    assert list(check_archive(archive, Ztf())) == []
    assert after == never_had(archive, other, new)


def test_replacing_by_the_same_repairs(archive: Config, nights: list[Path]) -> None:
    load(archive, *nights)
    before = state(archive)
    store = open_store(archive.thumbnails, readonly=False)
    store.remove(nights[1].name, "public")
    key = next(key for key, row in stored_table(archive, "alerts_limmag", ("objectId", "jd", "fid")).items()
               if row["packet_candid"] in {a["candid"] for a in read_packets(nights[1])})  # fmt: skip
    with connect(archive, Account.ADMIN) as connection:
        connection.exec_driver_sql(f"UPDATE alerts SET magpsf = 1 WHERE tarball = {tarball_id(nights[1].name)}")
        where = f"objectId = '{key[0]}' AND jd = {key[1]!r} AND fid = {key[2]}"
        connection.exec_driver_sql(f"UPDATE alerts_limmag SET diffmaglim = 1 WHERE {where}")
        connection.commit()
    assert len(list(check_archive(archive, Ztf()))) > 2
    load(archive, nights[1], replace=True, neighbours=[nights[0].parent])
    assert state(archive) == before
    assert list(check_archive(archive, Ztf())) == []


def program(config: Config, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ALERTDB_HOME": str(config.home), "ALERTDB_THUMBNAILS_URL": config.thumbnails}
    command = [sys.executable, "-m", "alertdb.cli.main", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_commands(archive: Config, nights: list[Path], tmp_path: Path) -> None:
    new = reissue(nights[1], tmp_path / "new")
    load(archive, *nights)
    ended = program(archive, "remove", nights[2].name, "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{nights[2].name}: would go: 60 alerts")
    assert ended.stderr.count("\n") == 2
    assert f"2 tarballs were not at hand (see --from): {nights[0].name}, {nights[1].name}" in ended.stderr
    assert "alertdb ingest --replace" in ended.stderr
    ended = program(archive, "remove", nights[2].name, "--from", str(nights[0].parent))
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = program(archive, "remove", nights[2].name)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "No tarball" in ended.stderr
    ended = program(archive, "ingest", str(new))
    assert ended.returncode == 1
    assert "alertdb ingest --replace" in ended.stderr
    ended = program(archive, "ingest", str(new), "--replace", "--from", str(nights[0].parent))
    assert ended.returncode == 0, ended.stderr
    assert f"  {new.name}: replaced: 60 alerts" in ended.stdout
    after = state(archive)
    assert after == never_had(archive, nights[0], new)
