"""The plain way into a database: what one writes without thinking of speed."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import mariadb

from ingest.surveys.ztf import AFTER_3_0, CANDIDATE

if TYPE_CHECKING:
    from pathlib import Path

PLAIN_COLUMNS = ["objectId", *(name for name in CANDIDATE if name not in AFTER_3_0)]
PLAIN_LIMITS = ["objectId", "jd", "fid", "pid", "diffmaglim", "programid", "nid", "rcid", "field", "packet_candid"]


def load_plainly(tarball: Path, folder: Path, socket: str, password: str) -> None:
    """Load alerts and upper limits with gzip, tarfile, fastavro.reader per member, csv and LOAD DATA."""
    paths = {"alerts": folder / "alerts.csv", "alerts_limmag": folder / "limits.csv"}
    with (
        gzip.open(tarball) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r|") as tar,
        paths["alerts"].open("w", newline="") as alerts,
        paths["alerts_limmag"].open("w", newline="") as limits,
    ):
        alert_rows = csv.DictWriter(alerts, PLAIN_COLUMNS, extrasaction="ignore", lineterminator="\n")
        limit_rows = csv.DictWriter(limits, PLAIN_LIMITS, extrasaction="ignore", lineterminator="\n")
        for member in tar:
            content: Any = tar.extractfile(member)
            packet: Any = next(fastavro.reader(io.BytesIO(content.read())))
            alert_rows.writerow(without_nulls({"objectId": packet["objectId"], **packet["candidate"]}))
            for entry in packet["prv_candidates"] or []:
                if entry["candid"] is None:
                    extra = {"objectId": packet["objectId"], "packet_candid": packet["candid"]}
                    limit_rows.writerow(without_nulls({**entry, **extra}))
    with mariadb.connect(unix_socket=socket, user="root", password=password, local_infile=True) as connection:
        cursor = connection.cursor()
        for table, columns in (("alerts", PLAIN_COLUMNS), ("alerts_limmag", PLAIN_LIMITS)):
            names = ", ".join(f"`{name}`" for name in columns)
            constant = "SET hpx29 = 0, tarball = 0" if table == "alerts" else ""
            cursor.execute(
                f"LOAD DATA LOCAL INFILE ? REPLACE INTO TABLE plain.{table} "
                f"FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ({names}) {constant}",
                (str(paths[table]),),
            )
        connection.commit()


def without_nulls(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row as LOAD DATA wants its nulls."""
    return {name: "\\N" if value is None else value for name, value in row.items()}
