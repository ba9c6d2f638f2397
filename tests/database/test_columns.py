"""The columns of the tables against the schemas that the real packets carry."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from alertdb.database import Account, connect

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

TYPES = {"int": "int", "long": "bigint", "float": "float", "double": "double"}
LEFT_OUT = ("pdiffimfilename", "programpi")  # of the history nowhere, of the alert behind the others
KEYS = ["objectId", "jd", "fid"]


def fields(tarball: Path, record: str) -> dict[str, str]:
    """Names and Avro types of a nested record's fields, from the schema of a tarball's first packet."""
    with tarfile.open(tarball) as archive:
        member = next(member for member in archive if member.isfile())
        file = archive.extractfile(member)
        assert file is not None
        schema: Any = fastavro.reader(file).writer_schema
    found = next(field["type"] for field in schema["fields"] if field["name"] == record)
    while "fields" not in found:  # through unions and arrays to the record
        found = next(kind for kind in found if kind != "null") if isinstance(found, list) else found["items"]
    return {field["name"]: plain(field["type"]) for field in found["fields"]}


def plain(kind: Any) -> str:
    return next(name for name in kind if name != "null") if isinstance(kind, list) else str(kind)


@pytest.fixture
def columns(server_config: Config) -> dict[str, dict[str, str]]:
    """Names and types of the columns of each table, in order."""
    query = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'ztf' AND extra <> 'INVISIBLE' ORDER BY table_name, ordinal_position"
    )
    tables: dict[str, dict[str, str]] = {}
    with connect(server_config, Account.READER) as connection:
        for table, column, kind in connection.exec_driver_sql(query):
            tables.setdefault(table, {})[column] = kind
    return tables


def test_the_first_99_columns_are_those_of_schema_3(columns: dict[str, dict[str, str]], real_data: Path) -> None:
    candidate = fields(real_data / "ztf" / "ztf_public_20180819.tar.gz", "candidate")
    names = ["objectId", *(name for name in candidate if name not in LEFT_OUT)]
    assert len(names) == 99
    assert list(columns["alerts"])[:99] == names
    assert list(columns["alerts"])[99:101] == list(LEFT_OUT)


def test_alerts_hold_every_field_of_every_schema(columns: dict[str, dict[str, str]], real_tarballs: list[Path]) -> None:
    for tarball in real_tarballs:
        for name, kind in fields(tarball, "candidate").items():
            assert columns["alerts"][name] == TYPES.get(kind, columns["alerts"][name]), (tarball.name, name)
    own = {"objectId", "schemavsn", "hpx29", "tarball"}
    newest = fields(real_tarballs[-1], "candidate")
    assert set(columns["alerts"]) == set(newest) | own


def test_histories_hold_the_fields_of_the_newest_schema(
    columns: dict[str, dict[str, str]], real_tarballs: list[Path]
) -> None:
    history = fields(real_tarballs[-1], "prv_candidates")
    names = [name for name in history if name not in LEFT_OUT]
    assert list(columns["alerts_prv"]) == ["objectId", *names, "packet_candid"]
    forced = fields(real_tarballs[-1], "fp_hists")
    names = [name for name in forced if name not in KEYS]
    assert list(columns["alerts_forced"]) == [*KEYS, *names, "packet_candid"]
    assert set(columns["alerts_limmag"]) - {"objectId", "packet_candid"} < set(history)
    for table, source in (("alerts_prv", history), ("alerts_limmag", history), ("alerts_forced", forced)):
        for name in set(columns[table]) & set(source):
            assert columns[table][name] == TYPES.get(source[name], columns[table][name]), (table, name)
