"""The archive worked out another way: one loop over tarfile and fastavro, plain dictionaries, no code of ours."""

from __future__ import annotations

import io
import math
import statistics
import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import mariadb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from alertdb.config import Config

Row = dict[str, Any]
Tables = dict[str, dict[Any, Row]]

LIMIT_FIELDS = ("jd", "fid", "pid", "diffmaglim", "programid", "nid", "rcid", "field")
LIMIT_QUALITY = ("magzpsci", "magzpsciunc", "magzpscirms", "clrcoeff", "clrcounc")
HISTORY_ONLY_IN_PACKETS = ("pdiffimfilename", "programpi")


def read_packets(tarball: Path) -> Iterator[Row]:
    """Yield the alerts of a tarball; what fastavro cannot read is passed over."""
    with tarfile.open(tarball) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is None:
                continue
            try:
                yield dict(next(fastavro.reader(io.BytesIO(content.read()))))  # type: ignore[arg-type]
            except Exception:  # noqa: S112 (whatever fastavro raises, the packet is unreadable)
                continue


def clean(row: Row, sentinel: int) -> Row:
    """Replace what stands for 'no value' by None, and the encodings of isdiffpos by t and f."""

    def value_of(name: str, value: Any) -> Any:
        if value is None or value == "null":
            return None
        if isinstance(value, (int, float)) and (value == sentinel or not math.isfinite(value)):
            return None
        return {"1": "t", "0": "f"}.get(value, value) if name == "isdiffpos" else value

    return {name: value_of(name, value) for name, value in row.items()}


def expected_tables(tarballs: Iterable[Path]) -> Tables:
    """Return what the tables must hold after these tarballs, in whatever order they were loaded."""
    tables: Tables = {"alerts": {}, "alerts_limmag": {}, "alerts_prv": {}, "alerts_forced": {}}
    for tarball in tarballs:
        for alert in read_packets(tarball):
            _add(tables, alert)
    arrived = set(tables["alerts"])
    tables["alerts_prv"] = {key: row for key, row in tables["alerts_prv"].items() if key[1] not in arrived}
    tables["summary"] = expected_summary(tables)
    return tables


def _add(tables: Tables, alert: Row) -> None:
    name, candid = alert["objectId"], alert["candid"]
    if candid in tables["alerts"]:
        return
    schemavsn = alert.get("schemavsn")
    tables["alerts"][candid] = {"objectId": name, "schemavsn": schemavsn, **clean(alert["candidate"], -999)}
    for raw in alert["prv_candidates"] or []:
        entry = clean(raw, -999)
        if entry["candid"] is not None:
            kept = {key: value for key, value in entry.items() if key not in HISTORY_ONLY_IN_PACKETS}
            _win(tables["alerts_prv"], (name, entry["candid"]), {"objectId": name, **kept}, candid)
        elif entry["diffmaglim"] is not None:
            limit = {"objectId": name, **{key: entry.get(key) for key in (*LIMIT_FIELDS, *LIMIT_QUALITY)}}
            _win(tables["alerts_limmag"], (name, entry["jd"], entry["fid"]), limit, candid)
    for raw in alert.get("fp_hists") or []:
        entry = clean(raw, -99999)
        _win(tables["alerts_forced"], (name, entry["jd"], entry["fid"]), {"objectId": name, **entry}, candid)


def _win(table: dict[Any, Row], key: Any, row: Row, packet: int) -> None:
    if key not in table or table[key]["packet_candid"] < packet:
        table[key] = {**row, "packet_candid": packet}


def expected_summary(tables: Tables) -> dict[Any, Row]:
    """Compute the summary with Python's statistics module."""
    by_object: dict[str, list[Row]] = {}
    for row in tables["alerts"].values():
        by_object.setdefault(row["objectId"], []).append(row)
    limits: dict[str, int] = {}
    for name, _, _ in tables["alerts_limmag"]:
        limits[name] = limits.get(name, 0) + 1
    return {
        name: _summarise(name, sorted(rows, key=lambda row: (row["jd"], row["candid"])), limits.get(name, 0))
        for name, rows in by_object.items()
        if len(rows) > 1
    }


def _summarise(name: str, rows: list[Row], limits: int) -> Row:
    ra, dec = mean_position(rows)
    summary: Row = {
        "objectId": name,
        "nobs": len(rows),
        "npos": sum(row["isdiffpos"] == "t" for row in rows),
        "nneg": sum(row["isdiffpos"] == "f" for row in rows),
        "nnights": len({row["nid"] for row in rows}),
        "jd_first": rows[0]["jd"],
        "jd_last": rows[-1]["jd"],
        "ra_mean": ra,
        "dec_mean": dec,
        "ra_std": statistics.stdev(east_offset(row, ra) for row in rows),
        "dec_std": statistics.stdev((row["dec"] - dec) * 3600 for row in rows),
        "ndethist_max": _over(max, [row["ndethist"] for row in rows]),
        "nlimmag": limits,
        "candid_last": rows[-1]["candid"],
        "ssnamenr": next((row["ssnamenr"] for row in reversed(rows) if row["ssnamenr"] is not None), None),
        "sgscore1_mean": _over(statistics.fmean, [row["sgscore1"] for row in rows]),
        "distpsnr1_min": _over(min, [row["distpsnr1"] for row in rows]),
        "ssdistnr_min": _over(min, [row["ssdistnr"] for row in rows]),
        "rb_mean": _over(statistics.fmean, [row["rb"] for row in rows]),
        "rb_min": _over(min, [row["rb"] for row in rows]),
        "rb_max": _over(max, [row["rb"] for row in rows]),
        "drb_mean": _over(statistics.fmean, [row.get("drb") for row in rows]),
    }
    for band, fid in (("g", 1), ("r", 2), ("i", 3)):
        mags = [row["magpsf"] for row in rows if row["fid"] == fid]
        errors = [row["sigmapsf"] for row in rows if row["fid"] == fid]
        summary |= {
            f"nobs_{band}": len(mags),
            f"magmean_{band}": _over(statistics.fmean, mags),
            f"magmin_{band}": _over(min, mags),
            f"magmax_{band}": _over(max, mags),
            f"magstd_{band}": statistics.stdev(mags) if len(mags) > 1 else None,
            f"maglast_{band}": mags[-1] if mags else None,
            f"sigmapsf_mean_{band}": _over(statistics.fmean, errors),
        }
    return summary


def mean_position(rows: list[Row]) -> tuple[float, float]:
    """Return the direction of the summed unit vectors, in degrees."""
    vectors = [
        (
            math.cos(math.radians(row["dec"])) * math.cos(math.radians(row["ra"])),
            math.cos(math.radians(row["dec"])) * math.sin(math.radians(row["ra"])),
            math.sin(math.radians(row["dec"])),
        )
        for row in rows
    ]
    x, y, z = (math.fsum(axis) for axis in zip(*vectors, strict=True))
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))


def east_offset(row: Row, ra: float) -> float:
    """Return right ascension minus `ra`, times cos dec, in arcsec, across RA 0 too."""
    return math.remainder(float(row["ra"]) - ra, 360) * math.cos(math.radians(row["dec"])) * 3600


def _over(function: Any, values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return function(known) if known else None


def stored_table(config: Config, table: str, key: tuple[str, ...], database: str = "ztf") -> dict[Any, Row]:
    """Return all rows of a table by key, read with the bare driver's binary protocol (exact floats)."""
    password = (config.secrets / "reader").read_text().strip()
    socket = str(config.home / "mariadb" / "mariadbd.sock")
    with (
        mariadb.connect(unix_socket=socket, user="alertdb_reader", password=password, database=database) as connection,
        connection.cursor(binary=True, dictionary=True) as cursor,
    ):
        cursor.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
    return {tuple(row[name] for name in key) if len(key) > 1 else row[key[0]]: row for row in rows}


KEYS = {
    "alerts": ("candid",),
    "alerts_limmag": ("objectId", "jd", "fid"),
    "alerts_prv": ("objectId", "candid"),
    "alerts_forced": ("objectId", "jd", "fid"),
    "summary": ("objectId",),
}
OURS = {"hpx29", "tarball"}  # columns of `alerts` that no packet has


def differences(expected: Tables, config: Config, database: str = "ztf") -> list[str]:
    """Compare all cells of all tables; return what differs. Computed columns of the summary may differ by 1e-9."""
    found = []
    for table, key in KEYS.items():
        stored = stored_table(config, table, key, database)
        found += [f"{table}: {name} is missing" for name in expected[table].keys() - stored.keys()]
        found += [f"{table}: {name} is too much" for name in stored.keys() - expected[table].keys()]
        for name in expected[table].keys() & stored.keys():
            ours, theirs = stored[name], expected[table][name]
            for column in ours.keys() - OURS:
                if not _same(ours[column], theirs.get(column), table):
                    found.append(f"{table}: {name} {column}: {ours[column]!r} instead of {theirs.get(column)!r}")
    return found


def _same(stored: Any, expected: Any, table: str) -> bool:
    if stored is None or expected is None or table != "summary" or not isinstance(expected, float):
        return bool(stored == expected)
    return math.isclose(stored, expected, rel_tol=1e-9, abs_tol=1e-9)
