from __future__ import annotations

import io
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from archives import empty_tables, everything, load
from hostile import make_tarball, members_of
from plain import differences, expected_tables, read_packets, stored_table

from alertdb.database import Account, connect
from alertdb.errors import TarballChanged
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import read_document
from ingest.ledger import tarball_id
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights([20240101, 20240102, 20240103], 150, tmp_path_factory.mktemp("nights"), seed=5)


@pytest.mark.parametrize("decoder", ["fastavro", "columnar"])
def test_every_cell_of_the_real_tarballs(archive: Config, real_tarballs: list[Path], decoder: str) -> None:
    outcomes = load(archive, *real_tarballs, decoder=decoder)
    expected = expected_tables(real_tarballs)
    assert len(expected["alerts"]) == 139
    assert differences(expected, archive) == []
    assert sum(outcome.alerts for outcome in outcomes) == 139
    assert sum(outcome.rejects for outcome in outcomes) == 2
    assert {field for outcome in outcomes for field in outcome.unknown_fields} == set()


@pytest.mark.parametrize("encrypted", [False, True])
def test_every_cell_of_simulated_nights(
    archive: Config, simulated: list[Path], monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    if encrypted:  # as the loader sees such a line: nothing can be written on it but by the driver
        monkeypatch.setattr("ingest.load.can_link", lambda _: False)
    load(archive, *simulated)
    expected = expected_tables(simulated)
    assert len(expected["alerts"]) == 450
    assert differences(expected, archive) == []
    assert differences(expected, archive, "ztf_public") == []  # all of it is public


def test_every_stamp_of_the_real_tarballs(archive: Config, real_tarballs: list[Path]) -> None:
    load(archive, *real_tarballs)
    store = open_store(archive.thumbnails)
    kinds = {"science": "cutoutScience", "template": "cutoutTemplate", "difference": "cutoutDifference"}
    count = 0
    for tarball in real_tarballs:
        for alert in read_packets(tarball):
            stamps = read_document(store.get(alert["candid"]))
            assert stamps == {kind: alert[field]["stampData"] for kind, field in kinds.items()}
            count += 1
    assert count == 139
    assert list(store.verify()) == []


def test_a_document_is_a_zip_that_any_program_reads(archive: Config, real_tarballs: list[Path]) -> None:
    load(archive, real_tarballs[1])
    alert = next(read_packets(real_tarballs[1]))
    document = open_store(archive.thumbnails).get(alert["candid"])
    with zipfile.ZipFile(io.BytesIO(document)) as file:
        assert file.namelist() == ["science.fits.gz", "template.fits.gz", "difference.fits.gz"]
        assert file.read("science.fits.gz") == alert["cutoutScience"]["stampData"]


def test_the_order_of_loading_does_not_matter(
    archive: Config, simulated: list[Path], real_tarballs: list[Path]
) -> None:
    tarballs = [*simulated, *real_tarballs]
    results = []
    for order in (tarballs, list(reversed(tarballs))):
        empty_tables(archive)
        for tarball in order:
            load(archive, tarball)
        results.append(everything(archive))
    empty_tables(archive)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda tarball: load(archive, tarball), tarballs))
    results.append(everything(archive))
    assert results[0] == results[1]
    assert results[0] == results[2]


def test_a_loaded_tarball_is_skipped(archive: Config, real_tarballs: list[Path]) -> None:
    load(archive, real_tarballs[1])
    before = everything(archive)
    (outcome,) = load(archive, real_tarballs[1])
    assert outcome.skipped.startswith("already loaded on ")
    assert everything(archive) == before


def test_the_same_content_under_another_name_is_skipped(
    archive: Config, real_tarballs: list[Path], tmp_path: Path
) -> None:
    load(archive, real_tarballs[1])
    before = everything(archive)
    shutil.copy(real_tarballs[1], tmp_path / "copy.tar.gz")
    (outcome,) = load(archive, tmp_path / "copy.tar.gz")
    assert outcome.skipped == f"the same content is in as {real_tarballs[1].name}"
    assert everything(archive) == before


def test_another_content_under_the_same_name_is_refused(
    archive: Config, real_tarballs: list[Path], tmp_path: Path
) -> None:
    name = real_tarballs[1].name
    load(archive, real_tarballs[1])
    before = everything(archive)
    shutil.copy(real_tarballs[2], tmp_path / name)
    with pytest.raises(TarballChanged, match="another content"):
        load(archive, tmp_path / name)
    assert everything(archive) == before


def test_bad_members_are_rejects_and_their_neighbours_load(
    archive: Config, real_tarballs: list[Path], tmp_path: Path
) -> None:
    good = members_of(real_tarballs[1])[:4]
    bad = [
        ("1.avro", b"no avro at all"),
        (good[0][0], good[0][1]),  # the same alert once more
        ("595147624915010000.avro", good[1][1]),  # another name than its candid
        ("note.txt", b"hello"),
    ]
    tarball = make_tarball(tmp_path / "mixed.tar.gz", [good[0], *bad, *good[1:]])
    (outcome,) = load(archive, tarball)
    assert (outcome.alerts, outcome.rejects) == (4, 4)
    reasons = {row["member"]: row["reason"] for row in stored_table(archive, "rejects", ("position",)).values()}
    assert "came before in this tarball" in reasons[good[0][0]]
    assert "not that of its name" in reasons["595147624915010000.avro"]
    assert set(reasons) == {"1.avro", good[0][0], "595147624915010000.avro", "note.txt"}
    assert set(stored_table(archive, "alerts", ("candid",))) == {int(name.removesuffix(".avro")) for name, _ in good}


@pytest.mark.parametrize("order", [("a.tar.gz", "b.tar.gz"), ("b.tar.gz", "a.tar.gz")])
def test_alerts_in_two_tarballs_belong_to_the_first_by_name(
    archive: Config, real_tarballs: list[Path], tmp_path: Path, order: tuple[str, str]
) -> None:
    alerts = members_of(real_tarballs[1])
    make_tarball(tmp_path / "a.tar.gz", alerts[:20])
    make_tarball(tmp_path / "b.tar.gz", alerts[10:])
    for name in order:
        load(archive, tmp_path / name)
    assert differences(expected_tables(sorted(tmp_path.glob("*.tar.gz"))), archive) == []
    owners = [row["tarball"] for row in stored_table(archive, "alerts", ("candid",)).values()]
    assert owners.count(tarball_id("a.tar.gz")) == 20
    ledger = stored_table(archive, "tarballs", ("name",))
    assert [(ledger[n]["alerts"], ledger[n]["duplicates"]) for n in ("a.tar.gz", "b.tar.gz")] == [(20, 0), (10, 10)]
    with connect(archive, Account.READER) as connection:
        sums = connection.exec_driver_sql("SELECT tarball, SUM(candid) AS s FROM alerts GROUP BY tarball").all()
    assert {row.tarball: int(row.s) for row in sums} == {row["id"]: int(row["candid_sum"]) for row in ledger.values()}


def test_two_overlapping_tarballs_at_once(archive: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    alerts = members_of(real_tarballs[1])
    names = [make_tarball(tmp_path / f"{letter}.tar.gz", alerts[start : start + 20])
             for letter, start in (("a", 0), ("b", 5), ("c", 10))]  # fmt: skip
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda tarball: load(archive, tarball), names))
    assert differences(expected_tables(names), archive) == []


def test_an_empty_tarball_is_a_success_with_nothing(archive: Config, tmp_path: Path) -> None:
    (outcome,) = load(archive, make_tarball(tmp_path / "ztf_public_20240105.tar.gz", []))
    assert (outcome.alerts, outcome.rejects, outcome.skipped) == (0, 0, "")
    assert stored_table(archive, "tarballs", ("name",))["ztf_public_20240105.tar.gz"]["night"] == 20240105


def test_folders_and_single_packets(archive: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "packets"
    folder.mkdir()
    alerts = members_of(real_tarballs[1])[:3]
    for name, content in alerts[:2]:
        (folder / name).write_bytes(content)
    (tmp_path / alerts[2][0]).write_bytes(alerts[2][1])
    outcomes = load(archive, folder, tmp_path / alerts[2][0])
    assert sorted(outcome.alerts for outcome in outcomes) == [1, 2]
    assert set(stored_table(archive, "alerts", ("candid",))) == {int(name.removesuffix(".avro")) for name, _ in alerts}
