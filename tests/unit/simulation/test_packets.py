from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from fastavro.schema import to_parsing_canonical_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Members = Callable[[Path], Iterator[tuple[str, bytes]]]


def header(data: bytes) -> tuple[str, dict[str, Any]]:
    reader = fastavro.reader(io.BytesIO(data))
    tree = json.loads(str(reader.metadata["avro.schema"]))
    return str(reader.metadata["avro.codec"]), tree


def documentation(tree: Any) -> Iterator[str]:
    for each in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(each, dict | list):
            yield from documentation(each)
    if isinstance(tree, dict) and "doc" in tree:
        yield tree["doc"]


def leaves(tree: Any, path: str = "") -> Iterator[str]:
    """Field names, in order, with whether each has a default."""
    if isinstance(tree, list):
        for each in tree:
            yield from leaves(each, path)
    elif isinstance(tree, dict):
        yield from leaves(tree.get("items", []), path)
        yield from leaves(tree["type"] if isinstance(tree["type"], dict) else [], path)
        for field in tree.get("fields", []):
            place = f"{path}.{field['name']}"
            yield f"{place} default={field.get('default', 'none')}"
            yield from leaves(field["type"], place)


@pytest.mark.parametrize(("version", "night"), [("3.3", 20210901), ("4.02", 20231012)])
def test_fields_names_order_and_types_are_the_real_ones(
    request: pytest.FixtureRequest,
    real_night: Callable[[int], Path],
    members: Members,
    version: str,
    night: int,
) -> None:
    simulated = request.getfixturevalue("series" if version == "3.3" else "full_night")[0]
    codec, ours = header(next(members(simulated))[1])
    real_codec, real = header(next(members(real_night(night)))[1])
    assert codec == real_codec == "null"
    # The canonical form keeps names, order and types, and drops documentation, defaults and versions.
    assert to_parsing_canonical_form(ours) == to_parsing_canonical_form(real)
    assert list(leaves(ours)) == list(leaves(real))
    assert ours["version"] == version
    assert not set(documentation(ours)) & set(documentation(real))


@pytest.mark.parametrize("name", ["series", "full_night"])
def test_the_bytes_are_those_that_a_general_writer_writes(
    request: pytest.FixtureRequest, members: Members, name: str
) -> None:
    for _, data in list(members(request.getfixturevalue(name)[0]))[:20]:
        reader = fastavro.reader(io.BytesIO(data))
        (record,) = list(reader)
        body = io.BytesIO()
        fastavro.schemaless_writer(body, reader.writer_schema, record)
        sync = data[-16:]
        assert data.endswith(body.getvalue() + sync)
        assert data.count(sync) == 2


def test_sentinels_are_the_survey_s(full_night: list[Path], packets: Callable[[Path], list[dict[str, Any]]]) -> None:
    read = packets(full_night[0])
    candidates = [packet["candidate"] for packet in read]
    still = [each for each in candidates if each["ssnamenr"] == "null"]
    assert 0 < len(still) < len(candidates)
    assert all(each["ssdistnr"] == each["ssmagnr"] == -999.0 for each in still)
    assert any(each["objectidps3"] == -999 for each in candidates)
    forced = [point for packet in read for point in packet["fp_hists"]]
    failed = [point for point in forced if point["forcediffimflux"] == -99999.0]
    assert 0 < len(failed) < 0.1 * len(forced)
    assert all(point["forcediffimfluxunc"] == -99999.0 and point["procstatus"] == "61" for point in failed)
    assert any(point["ranr"] == -99999.0 for point in forced)
    assert {each["isdiffpos"] for each in candidates} <= {"t", "f", "1", "0"}
    words = [each["isdiffpos"] for each in candidates]
    assert words.count("t") + words.count("f") > 0.95 * len(words)


def test_catalogue_neighbours_come_in_order_of_distance(
    full_night: list[Path], packets: Callable[[Path], list[dict[str, Any]]]
) -> None:
    for candidate in (packet["candidate"] for packet in packets(full_night[0])):
        near = [candidate[f"distpsnr{i}"] for i in (1, 2, 3)]
        near = [distance for distance in near if distance != -999.0]
        assert near == sorted(near)
        assert len(near) == min(candidate["nmtchps"], 3)
        if candidate["neargaiabright"] != -999.0:
            assert candidate["neargaia"] <= candidate["neargaiabright"] <= 90
            assert candidate["maggaiabright"] < 14


def test_forced_fluxes_repeat_from_night_to_night_and_agree_with_detections(
    full_night: list[Path], packets: Callable[[Path], list[dict[str, Any]]]
) -> None:
    compared = 0
    for packet in packets(full_night[0]):
        forced = {(point["jd"], point["fid"]): point for point in packet["fp_hists"]}
        assert [point["jd"] for point in packet["fp_hists"]] == sorted({jd for jd, _ in forced}, reverse=True)
        for entry in packet["prv_candidates"]:
            point = forced.get((entry["jd"], entry["fid"]))
            if entry["candid"] is None or point is None or point["forcediffimflux"] == -99999.0:
                continue
            sign = 1 if entry["isdiffpos"] in ("t", "1") else -1
            flux = sign * 10 ** (0.4 * (point["magzpsci"] - entry["magpsf"]))
            assert point["forcediffimflux"] == pytest.approx(flux, rel=1e-4)
            compared += 1
    assert compared > 1000
