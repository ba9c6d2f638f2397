"""Packets and tarballs that nobody would send in good faith, and what an archive must look like after them."""

from __future__ import annotations

import copy
import io
import json
import tarfile
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import fastavro
from plain import stored_table

from alertdb.database import Account, connect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from alertdb.config import Config

Record = dict[str, Any]
Members = list[tuple[str, bytes]]
TABLES = ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "summary", "tarballs", "rejects")


@lru_cache(maxsize=4)
def _schema(version: str) -> str:
    return (resources.files("ingest.simulation") / "schemas" / f"ztf_{version}.avsc").read_text(encoding="utf-8")


def schema_of(version: str = "3.3") -> dict[str, Any]:
    """Return a copy of a schema of the survey, to be changed at will."""
    return dict(json.loads(_schema(version)))


def records_of(tarball: Path) -> list[Record]:
    """Return the records of all packets of a tarball, read plainly."""
    return [dict(next(fastavro.reader(io.BytesIO(data)))) for _, data in members_of(tarball)]  # type: ignore[arg-type]


def members_of(tarball: Path) -> Members:
    """Return name and bytes of all members of a tarball, read plainly."""
    with tarfile.open(tarball) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]


def packet(record: Record, schema: Any = None, codec: str = "null") -> bytes:
    """Write a record as a packet."""
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(copy.deepcopy(schema or schema_of())), [record], codec=codec)
    return file.getvalue()


def member(record: Record, schema: Any = None, codec: str = "null") -> tuple[str, bytes]:
    """Write a record as a member that is named after its candid."""
    return f"{record['candidate']['candid']}.avro", packet(record, schema, codec)


def changed(record: Record, **candidate: Any) -> Record:
    """Return a copy of a record with other values in its candidate; `candid` and `objectId` change at the top too."""
    new = copy.deepcopy(record)
    for name, value in candidate.items():
        if name in new:
            new[name] = value
        if name in new["candidate"]:
            new["candidate"][name] = value
    return new


def make_tarball(path: Path, members: Iterable[tuple[str | tarfile.TarInfo, bytes]]) -> Path:
    """Write a .tar.gz with these members."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def counts(config: Config) -> dict[str, int]:
    """Return the number of rows of each table."""
    with connect(config, Account.READER) as connection:
        return {
            table: int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()) for table in TABLES
        }


def reasons(archive: Config) -> dict[str, str]:
    """Why each member was rejected."""
    return {row["member"]: row["reason"] for row in stored_table(archive, "rejects", ("position", "member")).values()}


def contradictions(config: Config) -> list[str]:
    """Say where ledger and tables do not agree: nothing may be half loaded."""
    found = []
    with connect(config, Account.READER) as connection:
        owned = {
            row.tarball: (row.n, int(row.total))
            for row in connection.exec_driver_sql(
                "SELECT tarball, COUNT(*) AS n, SUM(candid) AS total FROM alerts GROUP BY tarball"
            )
        }
        refused = {
            row.tarball: row.n
            for row in connection.exec_driver_sql("SELECT tarball, COUNT(*) AS n FROM rejects GROUP BY tarball")
        }
        ledger = connection.exec_driver_sql("SELECT id, name, alerts, candid_sum, rejects FROM tarballs").all()
        histories = sum(
            int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()) for table in TABLES[1:5]
        )
    for row in ledger:
        if owned.pop(row.id, (0, 0)) != (row.alerts, int(row.candid_sum)):
            found.append(f"{row.name}: the ledger says {row.alerts} alerts with candid sum {row.candid_sum}")
        if refused.pop(row.id, 0) != row.rejects:
            found.append(f"{row.name}: the ledger says {row.rejects} rejects")
    found += [f"alerts or rejects of a tarball that is not in the ledger: {id_}" for id_ in (*owned, *refused)]
    if not ledger and histories:
        found.append(f"{histories} rows in shared tables and no tarball in the ledger")
    return found
