from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest

from alertdb.errors import BadNightError, BadSimulationError
from ingest.simulation.nights import simulate_nights
from ingest.simulation.truth import truth_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Reader = Callable[[Path], list[dict[str, Any]]]
    Members = Callable[[Path], Iterator[tuple[str, bytes]]]


def test_a_tarball_holds_as_many_alerts_as_asked_for(tmp_path: Path, packets: Reader) -> None:
    (path,) = simulate_nights([20210901], 30, tmp_path)
    assert path == tmp_path / "ztf_public_20210901.tar.gz"
    assert len({packet["candid"] for packet in packets(path)}) == 30
    assert {made.name for made in tmp_path.iterdir()} == {path.name, "ztf_public_20210901.truth.parquet"}


def test_a_night_is_the_same_alone_or_in_a_series(tmp_path: Path) -> None:
    series = simulate_nights([20210829, 20210830, 20210901], 25, tmp_path / "series")
    (alone,) = simulate_nights([20210901], 25, tmp_path / "alone")
    (other,) = simulate_nights([20210901], 25, tmp_path / "other", seed=2)
    assert series[-1].read_bytes() == alone.read_bytes()
    assert alone.read_bytes() != other.read_bytes()


def test_the_number_of_workers_does_not_change_the_bytes(tmp_path: Path) -> None:
    (one,) = simulate_nights([20210901], 210, tmp_path / "one")
    seen: list[int] = []
    (two,) = simulate_nights([20210901], 210, tmp_path / "two", workers=2, progress=seen.append)
    assert one.read_bytes() == two.read_bytes()
    assert sum(seen) == 210
    assert truth_path(one).read_bytes() == truth_path(two).read_bytes()


def test_histories_repeat_earlier_alerts_and_limits(series: list[Path], packets: Reader) -> None:
    early, late = packets(series[0]), packets(series[1])
    alerts = {(packet["objectId"], packet["candid"]): packet["candidate"] for packet in early}
    limits = {
        (packet["objectId"], entry["jd"], entry["fid"]): entry
        for packet in early
        for entry in packet["prv_candidates"]
        if entry["candid"] is None
    }
    found = {"alerts": 0, "limits": 0}
    unlike = {"pdiffimfilename", "ssdistnr", "ssmagnr", "ssnamenr"}
    for packet in late:
        for entry in packet["prv_candidates"]:
            before = alerts.get((packet["objectId"], entry["candid"]))
            if before is not None:
                found["alerts"] += 1
                assert [before[name] for name in entry if name not in unlike] == [
                    value for name, value in entry.items() if name not in unlike
                ]
            same = limits.get((packet["objectId"], entry["jd"], entry["fid"]))
            if same is not None:
                found["limits"] += 1
                assert entry == same
    assert min(found.values()) > 20


def test_histories_are_the_thirty_days_before_in_order_of_time(series: list[Path], packets: Reader) -> None:
    for packet in packets(series[0]):
        jd, epochs = packet["candidate"]["jd"], [entry["jd"] for entry in packet["prv_candidates"]]
        assert epochs == sorted(set(epochs))
        assert all(jd - 30.0 <= epoch < jd for epoch in epochs)


def test_objects_and_candids_are_not_mixed_up(series: list[Path], packets: Reader) -> None:
    places: dict[str, tuple[float, float]] = {}
    candids: dict[int, str] = {}
    for path in series:
        for packet in packets(path):
            candidate, name = packet["candidate"], packet["objectId"]
            dec = places.setdefault(name, (candidate["ra"], candidate["dec"]))[1]
            assert candidate["dec"] == pytest.approx(dec, abs=2 / 3600)
            entries = [candidate, *(each for each in packet["prv_candidates"] if each["candid"])]
            assert all(candids.setdefault(each["candid"], name) == name for each in entries)


def test_averages_and_sizes_are_those_of_the_survey(full_night: list[Path], packets: Reader, members: Members) -> None:
    for path in full_night:
        read = packets(path)
        histories = [packet["prv_candidates"] for packet in read]
        detections = [sum(entry["candid"] is not None for entry in history) for history in histories]
        assert mean(detections) >= 8
        assert mean(len(history) for history in histories) - mean(detections) >= 13
        assert mean(len(packet["fp_hists"]) for packet in read) >= 20
        assert 70_000 < mean(len(data) for _, data in members(path)) < 83_000
        assert 47_000 < path.stat().st_size / len(read) < 52_000


def test_schema_3_has_the_survey_s_sizes(series: list[Path], members: Members) -> None:
    path = series[2]
    assert 68_000 < mean(len(data) for _, data in members(path)) < 75_000
    assert 47_000 < path.stat().st_size / 150 < 50_500


def test_the_whole_sky_is_there(full_night: list[Path], packets: Reader) -> None:
    ra, dec = zip(*((p["candidate"]["ra"], p["candidate"]["dec"]) for p in packets(full_night[0])), strict=True)
    assert max(dec) > 85
    assert min(dec) < -85
    assert sum(-40 < each < 85 for each in dec) > 0.95 * len(dec)
    assert any(each < 3 for each in ra)
    assert any(each > 357 for each in ra)


def test_each_tarball_tells_only_what_its_readers_may_know(full_night: list[Path], packets: Reader) -> None:
    public, partnership = (packets(path) for path in full_night)
    assert {p["candidate"]["programid"] for p in public} == {1}
    assert {e["programid"] for p in public for e in p["prv_candidates"] + p["fp_hists"]} == {1}
    assert {p["candidate"]["programid"] for p in partnership} == {2, 3}
    assert {e["programid"] for p in partnership for e in p["prv_candidates"]} == {1, 2, 3}
    assert {p["candidate"]["fid"] for p in partnership} == {1, 2, 3}
    assert not {p["candid"] for p in public} & {p["candid"] for p in partnership}


@pytest.mark.parametrize("night", [20211301, 20161231, 20170101, 20420403, 7])
def test_a_night_that_is_none_is_refused(tmp_path: Path, night: int) -> None:
    with pytest.raises(BadNightError, match=f"night {night} is no night"):
        simulate_nights([night], 5, tmp_path)


def test_wrong_wishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSimulationError, match="number of alerts is 0"):
        simulate_nights([20210901], 0, tmp_path)
    with pytest.raises(BadSimulationError, match=r"schema is 3\.4; it must be 3\.3 or 4\.02"):
        simulate_nights([20210901], 5, tmp_path, schema="3.4")
    with pytest.raises(BadSimulationError, match="program is private"):
        simulate_nights([20210901], 5, tmp_path, programs=["private"])


def test_an_interrupted_night_leaves_no_tarball(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_nights([20210901], 5, tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []
