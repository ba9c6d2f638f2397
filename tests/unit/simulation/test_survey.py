from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ingest.simulation.conditions import conditions, moonlight
from ingest.simulation.dice import Dice
from ingest.simulation.names import file_name, object_ids, ps1_numbers, reference_numbers
from ingest.simulation.survey import FIRST_JD, Epochs, night_number, night_text, plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Reader = Callable[[Path], list[dict[str, Any]]]


def epochs_of(candidates: list[dict[str, Any]]) -> Epochs:
    def column(name: str) -> np.ndarray:
        return np.array([each[name] for each in candidates])

    zero = np.zeros(len(candidates), dtype=np.int64)
    return Epochs(column("nid"), column("field") - 1, column("rcid"), zero, column("jd"), column("fid"), zero + 1)


def test_numbers_follow_from_time_and_place_as_in_real_packets(
    real_night: Callable[[int], Path], packets: Reader
) -> None:
    candidates = [packet["candidate"] for packet in packets(real_night(20210901))]
    epochs = epochs_of(candidates)
    assert epochs.pid.tolist() == [each["pid"] for each in candidates]
    assert {each["candid"] - each["pid"] * 1_000_000 - 15_000 - each["tblid"] for each in candidates} == {0}
    assert {each["nid"] for each in candidates} == {night_number(20210901)}
    numbers = reference_numbers(epochs.field + 1, epochs.fid, epochs.rcid)
    ours = [number for number, each in zip(numbers.tolist(), candidates, strict=True) if number == each["rfid"]]
    assert len(ours) > 0.5 * len(candidates)  # some fields have later references, numbered otherwise


def test_files_are_named_as_in_real_packets(real_night: Callable[[int], Path], packets: Reader) -> None:
    for packet in packets(real_night(20210705)):
        each = packet["candidate"]
        name = file_name(each["nid"], each["jd"], each["field"], each["fid"], each["rcid"])
        # The name tells when the shutter opened, a few seconds off jd.
        assert (name[:12], name[18:]) == (each["pdiffimfilename"][:12], each["pdiffimfilename"][18:])


def test_ps1_sources_are_numbered_by_position_as_in_real_packets(
    real_night: Callable[[int], Path], packets: Reader
) -> None:
    candidates = [packet["candidate"] for packet in packets(real_night(20210901))]
    near = [each for each in candidates if 0 <= each["distpsnr1"] < 0.5]
    ra, dec = (np.array([each[name] for each in near]) for name in ("ra", "dec"))
    real = np.array([each["objectidps1"] for each in near])
    ours = ps1_numbers(ra, dec)
    assert len(near) > 5
    assert np.abs(ours // 10**13 - real // 10**13).max() <= 1
    apart = (ours % 10**13 - real % 10**13) / 1e10 * np.cos(np.radians(dec)) * 3600
    assert np.abs(apart).max() < 1.0


def test_simulated_numbers_are_consistent(full_night: list[Path], packets: Reader) -> None:
    for path in full_night:
        candidates = [packet["candidate"] for packet in packets(path)]
        assert [each["candid"] for each in candidates] == sorted(each["candid"] for each in candidates)
        assert epochs_of(candidates).pid.tolist() == [each["pid"] for each in candidates]
        for each in candidates:
            assert each["candid"] == each["pid"] * 1_000_000 + 15_000 + each["tblid"]
            assert len(str(each["candid"])) == 19
            assert np.floor(each["jd"] - FIRST_JD) == each["nid"] == 1704
            assert 0 <= each["rcid"] <= 63


def test_no_two_exposures_of_a_night_begin_within_40_seconds() -> None:
    jd = plan(Dice(1), 1704).jd
    starts = np.sort(jd[~np.isnan(jd)])
    assert np.diff(starts).min() * 86_400 > 40
    assert 400 < len(starts) < 800
    assert (starts[-1] - starts[0]) * 24 < 10


def test_public_visits_come_every_two_or_three_nights_in_g_and_r() -> None:
    plans = [plan(Dice(1), nid) for nid in range(1600, 1690)]
    visited = np.array([~np.isnan(each.jd[:, 0]) for each in plans])
    per_field = visited.sum(axis=0)
    ordinary = per_field[(per_field > 0) & (per_field < 60)]
    assert 90 / ordinary.mean() == pytest.approx(2.6, abs=0.3)
    assert all(np.array_equal(np.isnan(each.jd[:, 0]), np.isnan(each.jd[:, 1])) for each in plans)


def test_the_moon_is_full_and_new_when_it_was() -> None:
    full, new = np.array([2459449.0, 2459803.6]), np.array([2459464.5, 2459818.8])  # from almanacs
    assert moonlight(full).min() > 0.98
    assert moonlight(new).max() < 0.02


def test_the_moon_and_bad_seeing_make_limits_brighter() -> None:
    def night(nid: int) -> tuple[Any, Any]:
        field, visit = np.nonzero(~np.isnan(plan(Dice(1), nid).jd[:, :2]))
        each = plan(Dice(1), nid)
        rcid = np.zeros(len(field), dtype=np.int64)
        jd, fid = each.jd[field, visit], each.fid[field, visit]
        epochs = Epochs(np.full(len(field), nid), field, rcid, visit, jd, fid, each.programid[field, visit])
        return epochs, conditions(Dice(1), epochs)

    dark = [night(nid)[1].diffmaglim.mean() for nid in range(1708, 1713)]  # new moon 2021 September 7
    lit = [night(nid)[1].diffmaglim.mean() for nid in range(1692, 1697)]  # full moon 2021 August 22
    assert np.mean(dark) - np.mean(lit) > 0.4
    _, sky = night(1710)
    assert np.corrcoef(sky.seeing, sky.diffmaglim)[0, 1] < -0.3
    assert 19.0 < sky.diffmaglim.mean() < 21.0


def test_nights_and_their_numbers() -> None:
    assert night_number(20210901) == 1704
    assert night_text(1704) == "20210901"
    assert night_text(night_number(20240229)) == "20240229"


def test_object_names_are_one_to_one() -> None:
    numbers = np.arange(0, 3_000_000, 7) + 21 * 26**7
    names = object_ids(numbers)
    assert len(set(names)) == len(names)
    assert all(name.startswith("ZTF21") and len(name) == 12 and name[5:].islower() for name in names[:1000])
