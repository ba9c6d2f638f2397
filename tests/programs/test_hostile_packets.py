"""Whole tarballs of hostile, odd and foreign packets through the program: each costs itself and nothing else."""

from __future__ import annotations

import copy
import gzip
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load
from hostile import (
    changed,
    contradictions,
    counts,
    make_tarball,
    member,
    packet,
    reasons,
    schema_of,
)
from plain import stored_table

from alertdb.errors import DamagedStamp
from alertdb.stamps import read_stamp
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import read_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config

    Run = Callable[..., tuple[int, str]]
    Record = dict[str, Any]


def test_packets_of_another_survey(archive: Config, run: Run, real_data: Path) -> None:
    code, printed = run("ingest", real_data / "elasticc" / "elasticc_sample.tar.gz")
    assert code == 0
    assert "0 alerts" in printed
    assert "41 rejects" in printed
    assert set(reasons(archive).values()) == {
        "no value for objectId, candid, jd, fid, programid, ra, dec: of another survey"
    }
    assert contradictions(archive) == []


def odd(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_members_that_are_no_packets(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    first, second, third = (packet(record) for record in records)
    good = [member(records[0]), member(records[1])]
    tarball = make_tarball(
        tmp_path / "mixed.tar.gz",
        [
            good[0],
            ("../x.avro", third),
            ("/etc/x.avro", third),
            ("a/../../x.avro", third),
            (odd("link.avro", tarfile.SYMTYPE, "/etc/passwd"), b""),
            (odd("hard.avro", tarfile.LNKTYPE, good[0][0]), b""),
            (odd("device.avro", tarfile.CHRTYPE), b""),
            ("large.avro", bytes(8 * 2**20 + 1)),
            ("123.avro", third),
            ("empty.avro", b""),
            ("cut.avro", first[: len(first) // 2]),
            ("two.avro", second + second),
            good[1],
        ],
    )
    code, printed = run("ingest", tarball)
    assert code == 0
    assert "2 alerts" in printed
    assert "11 rejects" in printed
    assert set(stored_table(archive, "alerts", ("candid",))) == {record["candid"] for record in records[:2]}
    found = reasons(archive)
    assert found["../x.avro"] == "its name leads out of the tarball (..)"
    assert found["/etc/x.avro"] == "its name is absolute; a packet's is relative"
    assert "a symbolic link" in found["link.avro"]
    assert "a hard link" in found["hard.avro"]
    assert "a device" in found["device.avro"]
    assert "at most 8388608" in found["large.avro"]
    assert found["123.avro"] == f"the packet holds candid {records[2]['candid']}, not that of its name"
    assert found["empty.avro"] == "the packet is empty"
    assert contradictions(archive) == []
    code, printed = run("rejects", tarball.name, "--format", "json")
    assert code == 0
    assert "device.avro" in printed


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"objectId": "x" * 33}, "objectId has 33 characters, at most 32 fit"),
        ({"ssnamenr": "\U0001f52d" * 65}, "ssnamenr has 65 characters, at most 64 fit"),
        ({"isdiffpos": "yes"}, "isdiffpos is none of t, f, 1, 0"),
        ({"isdiffpos": "x"}, "isdiffpos is none of t, f, 1, 0"),
        ({"ra": 360.1}, "the position is not on the sky (ra 0 to 360, dec -90 to 90)"),
        ({"dec": float("nan")}, "no value for dec: not an alert of this survey, or a damaged one"),
        ({"candid": -999}, "no value for candid: not an alert of this survey, or a damaged one"),
        ({"jd": float("inf")}, "no value for jd: not an alert of this survey, or a damaged one"),
        ({"objectId": "null"}, "no value for objectId: not an alert of this survey, or a damaged one"),
    ],
)
def test_values_that_cannot_be_stored(
    archive: Config, run: Run, records: list[Record], tmp_path: Path, values: dict[str, Any], reason: str
) -> None:
    bad = packet(changed(records[0], **values))
    assert run("ingest", make_tarball(tmp_path / "n.tar.gz", [("bad.avro", bad), member(records[1])]))[0] == 0
    assert reasons(archive) == {"bad.avro": reason}
    assert counts(archive)["alerts"] == 1
    assert contradictions(archive) == []


@pytest.mark.parametrize("candid", [2**63 - 1, -(2**63), 1, 0, -1])
def test_candids_at_the_edge(archive: Config, run: Run, records: list[Record], tmp_path: Path, candid: int) -> None:
    record = changed(records[0], candid=candid)
    assert run("ingest", make_tarball(tmp_path / "edge.tar.gz", [("packet.avro", packet(record))]))[0] == 0
    assert list(stored_table(archive, "alerts", ("candid",))) == [candid]
    assert read_document(open_store(archive.thumbnails).get(candid))["science"] == record["cutoutScience"]["stampData"]
    assert contradictions(archive) == []


def test_two_candids_in_one_packet(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    record = copy.deepcopy(records[0])
    record["candid"] += 1
    run("ingest", make_tarball(tmp_path / "two.tar.gz", [("a.avro", packet(record))]))
    assert reasons(archive) == {"a.avro": "candid at the top and in candidate differ"}


def with_field(schema: Any, where: str, field: dict[str, Any]) -> Any:
    """Return a copy of a schema with one more field, at the top or in a record there."""
    new = copy.deepcopy(schema)
    record = new if not where else next(f["type"] for f in new["fields"] if f["name"] == where)
    while "fields" not in record:  # inside a union or an array
        record = next(t for t in record if t != "null") if isinstance(record, list) else record["items"]
    record["fields"].append(field)
    return new


def test_a_future_schema_is_loaded_and_its_new_fields_are_named_once(
    archive: Config, run: Run, records: list[Record], tmp_path: Path
) -> None:
    load(archive, make_tarball(tmp_path / "plain.tar.gz", [member(record) for record in records]))
    plain = everything(archive)
    empty_tables(archive)
    schema = schema_of()
    for where, name, kind in (
        ("candidate", "glitch", "float"),
        ("prv_candidates", "epoch", "string"),
        ("", "x", "int"),
    ):
        schema = with_field(schema, where, {"name": name, "type": ["null", kind], "default": None})
    schema = with_field(schema, "", {"name": "host", "type": {"type": "map", "values": "double"}})
    future = []
    for record in copy.deepcopy(records):
        record["candidate"]["glitch"], record["x"], record["host"] = 1.5, 7, {"z": 0.1}
        for entry in record["prv_candidates"] or []:
            entry["epoch"] = "new"
        future.append(member(record, schema))
    code, printed = run("ingest", make_tarball(tmp_path / "plain.tar.gz", future))
    assert code == 0
    line = "plain.tar.gz: fields that no table has, left out: candidate.glitch, host, prv_candidates.epoch, x"
    assert printed.count("fields that no table has") == 1
    assert line in printed
    loaded = everything(archive)
    assert loaded["tarballs"].pop("plain.tar.gz")["unknown_fields"] == line.rpartition(": ")[2]
    plain["tarballs"].pop("plain.tar.gz")
    assert loaded == plain


def test_a_wanted_field_of_another_type(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    schema = schema_of()
    for field in schema["fields"]:
        if field["name"] == "candid":
            field["type"] = "string"
    record = records[0] | {"candid": str(records[0]["candid"])}
    odd_one = ("odd.avro", packet(record, schema))
    assert run("ingest", make_tarball(tmp_path / "odd.tar.gz", [odd_one, member(records[1])]))[0] == 0
    assert reasons(archive) == {"odd.avro": "the field candid is of the Avro type string; expected int64"}
    assert counts(archive)["alerts"] == 1


def reencoded(schema: Any, names: dict[str, str], *, reverse: bool, widen: bool) -> Any:
    """Return a schema as a broker may write it: other record names, unions turned round, floats as doubles."""
    if isinstance(schema, list):
        kinds = [reencoded(kind, names, reverse=reverse, widen=widen) for kind in schema]
        return kinds[::-1] if reverse else kinds
    if isinstance(schema, dict):
        new = {
            key: reencoded(value, names, reverse=reverse, widen=widen) if key in ("type", "fields", "items") else value
            for key, value in schema.items()
            if key in ("type", "fields", "items", "name")
        }
        if schema.get("type") == "record":
            new["name"] = names.setdefault(schema["name"], f"r{len(names)}")
        if "fields" in new:
            new["fields"] = [reencoded(f, names, reverse=reverse, widen=widen) for f in schema["fields"]]
        return new
    if schema == "float" and widen:
        return "double"
    return names.get(schema, schema)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
@pytest.mark.parametrize(("reverse", "widen", "top"), [(True, False, True), (False, True, False), (True, True, False)])
def test_packets_that_a_broker_encoded_anew(
    archive: Config, run: Run, records: list[Record], tmp_path: Path, codec: str, reverse: bool, widen: bool, top: bool
) -> None:
    path = tmp_path / "night.tar.gz"
    load(archive, make_tarball(path, [member(record) for record in records]))
    plain, store = everything(archive), open_store(archive.thumbnails)
    documents = {record["candid"]: store.get(record["candid"]) for record in records}
    empty_tables(archive)
    schema = reencoded(schema_of(), {}, reverse=reverse, widen=widen)
    if not top:
        schema["fields"] = [field for field in schema["fields"] if field["name"] != "candid"]
    code, printed = run("ingest", make_tarball(path, [member(record, schema, codec) for record in records]))
    assert code == 0, printed
    loaded = everything(archive)
    for tables in (plain, loaded):  # the files differ
        tables["tarballs"]["night.tar.gz"] |= {"sha256": "", "bytes": 0}
    assert loaded == plain
    store = open_store(archive.thumbnails)
    assert {record["candid"]: store.get(record["candid"]) for record in records} == documents


def test_an_empty_tarball(archive: Config, run: Run, tmp_path: Path) -> None:
    code, printed = run("ingest", make_tarball(tmp_path / "ztf_public_20240121.tar.gz", []))
    assert code == 0
    assert "1 tarball loaded: 0 alerts" in printed
    assert counts(archive) == dict.fromkeys(counts(archive), 0) | {"tarballs": 1}


def test_a_bomb(archive: Config, run: Run, tmp_path: Path) -> None:
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(bytes(64 << 20)))
    code, printed = run("ingest", tmp_path / "bomb.tar.gz")
    assert code == 1
    assert printed.count("Error: ") == 1
    assert counts(archive) == dict.fromkeys(counts(archive), 0)


def test_stamps_that_are_bombs_are_kept_as_they_are(
    archive: Config, run: Run, records: list[Record], tmp_path: Path
) -> None:
    bomb = gzip.compress(bytes(100 << 20))
    record = copy.deepcopy(records[0])
    record["cutoutScience"]["stampData"] = bomb
    record["cutoutTemplate"]["stampData"] = b"no gzip at all"
    assert run("ingest", make_tarball(tmp_path / "bomb.tar.gz", [member(record), member(records[1])]))[0] == 0
    assert counts(archive)["alerts"] == 2
    stamps = read_document(open_store(archive.thumbnails).get(record["candid"]))
    assert (stamps["science"], stamps["template"]) == (bomb, b"no gzip at all")
    with pytest.raises(DamagedStamp, match=r"bytes unpack to more than \d+"):
        read_stamp(stamps["science"])
    with pytest.raises(DamagedStamp, match="its gzip is damaged"):
        read_stamp(stamps["template"])
    code, printed = run("thumbnails", record["candid"], "--sheet", tmp_path / "sheet.png")
    assert code == 1
    assert printed.count("Error: ") == 1


def test_packets_that_are_bombs(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    """Each alone would be small enough; thousands of them in memory at once would not."""
    bomb = copy.deepcopy(records[0])
    bomb["cutoutScience"]["stampData"] = bytes(7 << 20)
    bad = ("bomb.avro", packet(bomb, codec="deflate"))
    assert run("ingest", make_tarball(tmp_path / "b.tar.gz", [bad, member(records[1])]))[0] == 0
    assert "bytes that are accepted" in reasons(archive)["bomb.avro"]
    assert counts(archive)["alerts"] == 1
