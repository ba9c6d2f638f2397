from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from alertdb.errors import BadNightError, BadSimulationError
from ingest.simulation import simulate_nights

if TYPE_CHECKING:
    from pathlib import Path

Packet = dict[str, Any]


def packets(path: Path) -> list[Packet]:
    read = []
    with tarfile.open(path) as tarball:
        for member in tarball:
            stream = tarball.extractfile(member)
            assert stream is not None
            (packet,) = fastavro.reader(io.BytesIO(stream.read()))
            assert isinstance(packet, dict)
            assert member.name == f"{packet['candid']}.avro"
            read.append(packet)
    return read


def test_a_tarball_holds_as_many_alerts_as_asked_for(tmp_path: Path) -> None:
    (path,) = simulate_nights([20210901], 30, tmp_path)
    assert path == tmp_path / "ztf_public_20210901.tar.gz"
    assert len({packet["candid"] for packet in packets(path)}) == 30
    assert list(tmp_path.iterdir()) == [path]


def test_a_night_is_the_same_alone_or_in_a_series(tmp_path: Path) -> None:
    series = simulate_nights([20210829, 20210830, 20210901], 25, tmp_path / "series")
    (alone,) = simulate_nights([20210901], 25, tmp_path / "alone")
    (other,) = simulate_nights([20210901], 25, tmp_path / "other", seed=2)
    assert series[-1].read_bytes() == alone.read_bytes()
    assert alone.read_bytes() != other.read_bytes()


def test_histories_repeat_earlier_alerts_and_limits(tmp_path: Path) -> None:
    early, late = (packets(path) for path in simulate_nights([20210828, 20210901], 60, tmp_path))
    alerts = {(packet["objectId"], packet["candid"]): packet["candidate"] for packet in early}
    limits = {
        (packet["objectId"], entry["jd"], entry["fid"]): entry
        for packet in early
        for entry in packet["prv_candidates"]
        if entry["candid"] is None
    }
    found = {"alerts": 0, "limits": 0}
    for packet in late:
        for entry in packet["prv_candidates"]:
            before = alerts.get((packet["objectId"], entry["candid"]))
            if before is not None:
                found["alerts"] += 1
                unlike = {"pdiffimfilename", "ssdistnr", "ssmagnr", "ssnamenr"}
                assert {name: before[name] for name in entry if name not in unlike} == {
                    name: value for name, value in entry.items() if name not in unlike
                }
            same = limits.get((packet["objectId"], entry["jd"], entry["fid"]))
            if same is not None:
                found["limits"] += 1
                assert entry == same
    assert min(found.values()) > 10


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
