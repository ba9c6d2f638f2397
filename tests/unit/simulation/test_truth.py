from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from astropy.timeseries import LombScargle

from ingest.simulation.nights import simulate_nights
from ingest.simulation.survey import night_text
from ingest.simulation.tracks import KNOWN_PERIOD_DAYS
from ingest.simulation.truth import truth_path

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Path], list[dict[str, Any]]]
    Rows = list[dict[str, Any]]
    Points = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def truth(paths: list[Path]) -> Rows:
    return [row for path in paths for row in pq.read_table(truth_path(path)).to_pylist()]


def light_curve(packets: Rows, name: str, fid: int) -> Points:
    """Times and signed difference fluxes, from alerts and histories."""
    entries = [
        entry
        for packet in packets
        if packet["objectId"] == name
        for entry in [packet["candidate"], *packet["prv_candidates"]]
        if entry["candid"] is not None and entry["fid"] == fid
    ]
    flux = {
        entry["jd"]: 10 ** (-0.4 * (entry["magpsf"] - 20)) * (1 if entry["isdiffpos"] in ("t", "1") else -1)
        for entry in entries
    }
    return np.array(sorted(flux)), np.array([flux[jd] for jd in sorted(flux)])


def best_period(days: npt.NDArray[np.float64], values: npt.NDArray[np.float64], shortest: float) -> float:
    frequency = np.arange(1 / 40, 1 / shortest, 1 / 1000)
    power = LombScargle(days, values, nterms=1).power(frequency)
    return float(1 / frequency[np.argmax(power)])


def test_there_is_one_row_an_alert(series: list[Path], packets: Reader) -> None:
    rows = truth(series[:1])
    for row, packet in zip(rows, packets(series[0]), strict=True):
        candidate = packet["candidate"]
        assert (row["candid"], row["objectId"]) == (packet["candid"], packet["objectId"])
        assert (row["jd"], row["fid"]) == (candidate["jd"], candidate["fid"])
        assert (row["ssnamenr"] or "null") == candidate["ssnamenr"]
    assert len({row["class"] for row in rows}) == 7


def test_measured_magnitudes_scatter_around_the_truth_as_their_errors_say(
    full_night: list[Path], packets: Reader
) -> None:
    for path in full_night:
        rows = truth([path])
        candidates = [packet["candidate"] for packet in packets(path)]
        bright = [
            (each["magpsf"] - row["mag_difference"]) / each["sigmapsf"]
            for row, each in zip(rows, candidates, strict=True)
            if each["sigmapsf"] < 0.08
        ]
        assert len(bright) > 50
        assert np.std(bright) == pytest.approx(1.0, abs=0.2)
        assert np.mean(bright) == pytest.approx(0.0, abs=0.2)


def test_supernovae_are_at_their_peak_when_and_as_bright_as_the_truth_says(series: list[Path], packets: Reader) -> None:
    read = [packet for path in series for packet in packets(path)]
    checked = 0
    for row in {row["objectId"]: row for row in truth(series) if row["class"] == "supernova"}.values():
        days, flux = light_curve(read, row["objectId"], row["fid"])
        near = np.abs(days - row["jd_peak"]) < 2.5
        if near.sum() < 1 or days.min() > row["jd_peak"] - 5 or days.max() < row["jd_peak"] + 15:
            continue
        checked += 1
        assert flux[near].mean() == pytest.approx(10 ** (-0.4 * (row["mag_peak"] - 20)), rel=0.25)
        assert abs(days[np.argmax(flux)] - row["jd_peak"]) < 10
    assert checked >= 2


@pytest.mark.parametrize(
    ("kind", "cycles", "shortest"),
    [("sinusoid", (1.0,), 0.25), ("rr_lyrae", (1.0,), 0.3), ("eclipsing", (0.5, 1.0), 0.15)],
)
def test_periods_of_stars_come_back_from_the_alerts(
    series: list[Path], packets: Reader, kind: str, cycles: tuple[float, ...], shortest: float
) -> None:
    read = [packet for path in series for packet in packets(path)]
    rows = [row for row in truth(series) if row["class"] == kind]
    often = [name for name, _ in Counter(row["objectId"] for row in rows).most_common(12)]
    periods = {row["objectId"]: row["period_days"] for row in rows}
    right, tried = 0, 0
    for name in often:
        days, flux = light_curve(read, name, 2)
        if len(days) < 20:
            continue
        tried += 1
        found = best_period(days, flux, shortest)
        right += any(abs(found / (periods[name] * part) - 1) < 0.005 for part in cycles)
    assert tried >= 4
    assert right >= 0.75 * tried


def test_the_rotation_of_138847_comes_back_from_its_alerts(tmp_path: Path, packets: Reader) -> None:
    nights = [int(night_text(1700 + i)) for i in range(90)]
    paths = simulate_nights(nights, 4, tmp_path)
    found = [
        packet["candidate"] for path in paths for packet in packets(path) if packet["candidate"]["ssnamenr"] == "138847"
    ]
    assert len({each["candid"] for each in found}) > 40
    days, fid = (np.array([each[name] for each in found]) for name in ("jd", "fid"))
    reduced = np.array([each["magpsf"] - each["ssmagnr"] for each in found])
    for each in (1, 2):
        reduced[fid == each] -= np.median(reduced[fid == each])
    frequency = np.arange(2.0, 9.0, 1 / 2000)
    half = 1 / frequency[np.argmax(LombScargle(days, reduced).power(frequency))]
    assert 2 * half == pytest.approx(KNOWN_PERIOD_DAYS, rel=1e-3)
    assert pytest.approx(7.6 / 24) == KNOWN_PERIOD_DAYS
    # Double-peaked: a second harmonic alone fits nearly as well as both, the first alone does not.
    both = LombScargle(days, reduced, nterms=2).power([1 / KNOWN_PERIOD_DAYS])
    first, second = LombScargle(days, reduced).power([1 / KNOWN_PERIOD_DAYS, 2 / KNOWN_PERIOD_DAYS])
    assert both > second > 3 * first
    names = {
        packet["objectId"] for path in paths for packet in packets(path) if packet["candidate"]["ssnamenr"] == "138847"
    }
    assert len(names) == len(found)  # the survey names places, and an asteroid moves


def test_every_column_is_documented(series: list[Path]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text(encoding="utf-8")
    for field in pq.read_schema(truth_path(series[0])):
        text = (field.metadata or {})[b"description"].decode()
        assert f"| `{field.name}` | {text} |" in page
    for name in {row["class"] for row in truth(series)}:
        assert f"`{name}`" in page
