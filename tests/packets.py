"""Real packets read the plain way (tarfile, fastavro), for expected values; and tables filled from them by INSERT."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any, cast

import astropy.units as u
import cdshealpix
import fastavro
from astropy.coordinates import Latitude, Longitude

from alertdb.database import Account, connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from alertdb.config import Config

Packet = dict[str, Any]


def read_packets(tarballs: Iterable[Path]) -> list[Packet]:
    """All packets that can be read."""
    packets: list[Packet] = []
    for tarball in tarballs:
        with tarfile.open(tarball) as archive:
            for member in archive:
                content = archive.extractfile(member)
                try:
                    packets.extend(
                        cast("Iterable[Packet]", fastavro.reader(io.BytesIO(content.read() if content else b"")))
                    )
                except (EOFError, ValueError, IndexError):
                    continue  # two members of 20180601 are truncated
    return packets


def known(value: Any) -> Any:
    """A value as the tables hold it: None for what stands for 'no value'."""
    return None if value in (-999, -999.0, -99999, -99999.0, "null") else value


def cleaned(record: Packet) -> Packet:
    row = {name: known(value) for name, value in record.items()}
    if row.get("isdiffpos") is not None:
        row["isdiffpos"] = {"1": "t", "0": "f"}.get(row["isdiffpos"], row["isdiffpos"])
    return row


def hpx29(ra: float, dec: float) -> int:
    return int(cdshealpix.nested.lonlat_to_healpix(Longitude([ra] * u.deg), Latitude([dec] * u.deg), 29)[0])


def fill_tables(config: Config, packets: Sequence[Packet]) -> None:
    """Put packets into the tables as the loader does, one row after the other."""
    alerts = [alert_row(packet) for packet in packets]
    insert(config, "alerts", alerts)
    candids = {row["candid"] for row in alerts}
    limits, history, forced = {}, {}, {}
    for packet in sorted(packets, key=lambda packet: packet["candid"]):
        names = {"objectId": packet["objectId"], "packet_candid": packet["candid"]}
        for entry in packet["prv_candidates"] or []:
            row = cleaned(entry) | names
            if row["candid"] is None and row["diffmaglim"] is not None:
                limits[row["objectId"], row["jd"], row["fid"]] = row
            elif row["candid"] is not None and row["candid"] not in candids:
                history[row["objectId"], row["candid"]] = row
        for entry in packet.get("fp_hists") or []:
            row = cleaned(entry) | names
            forced[row["objectId"], row["jd"], row["fid"]] = row
    for table, rows in (("alerts_limmag", limits), ("alerts_prv", history), ("alerts_forced", forced)):
        insert(config, table, list(rows.values()))


def alert_row(packet: Packet) -> Packet:
    row = cleaned(packet["candidate"]) | {"objectId": packet["objectId"], "candid": packet["candid"], "tarball": 1}
    return row | {"schemavsn": packet.get("schemavsn"), "hpx29": hpx29(row["ra"], row["dec"])}


def insert(config: Config, table: str, rows: Sequence[Packet]) -> None:
    """Insert rows; of each only what the table has a column for."""
    with connect(config, Account.LOADER) as connection:
        columns = [row[0] for row in connection.exec_driver_sql(f"SHOW COLUMNS FROM {table}")]
        for row in rows:
            found = [name for name in columns if name in row]
            names = ", ".join(f"`{name}`" for name in found)
            places = ", ".join("?" * len(found))
            values = tuple(row[name] for name in found)
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", values)
        connection.commit()
