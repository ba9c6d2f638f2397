"""How fast a tarball becomes rows and thumbnails: the plain way, this pipeline with fastavro, this pipeline.

    python benchmarks/ingest.py [--quick] [--json FILE] [--data FOLDER]

Everything is measured in one run on one machine: simulated tarballs of schema 3.3 and 4.02, a private MariaDB on the
same cores, all tables, thumbnails and the ledger on. Each way runs in a process of its own that is warm: modules are
imported and a small tarball is loaded before the clock starts; `startup_s` is what that costs.
"""

from __future__ import annotations

import sys

del sys.path[0]  # this folder, whose ingest.py would stand before the package `ingest`

import argparse
import csv
import gzip
import importlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import fastavro
import mariadb

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.schema import ensure_schema, public_database
from alertdb.server import PrivateServer
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import AFTER_3_0, CANDIDATE, Ztf
from ingest.tarballs import find_sources

ALERTS, QUICK_ALERTS, WARM_ALERTS = 20_000, 2_000, 50
POOL = "innodb_buffer_pool_size=2G"
PLAIN_COLUMNS = ["objectId", *(name for name in CANDIDATE if name not in AFTER_3_0)]
PLAIN_LIMITS = ["objectId", "jd", "fid", "pid", "diffmaglim", "programid", "nid", "rcid", "field", "packet_candid"]


def main() -> None:
    """Run all measurements and print them."""
    options = parse_arguments()
    alerts = QUICK_ALERTS if options.quick else ALERTS
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        bench = Bench(Path(folder), alerts)
        try:
            figures: dict[str, Any] = bench.run()
        finally:
            bench.server.ensure_stopped()
    figures |= {"alerts": alerts, "quick": options.quick, "cores": os.cpu_count()}
    for name, value in figures.items():
        print(f"{name:28} {value:12.3f}" if isinstance(value, float) else f"{name:28} {value!s:>12}")
    if options.quick:
        print("a quick run: figures of a few thousand alerts, not those of a night")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute, at a smaller size")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--data", type=Path, help="folder for tarballs, server and thumbnails (a fast local disk)")
    return parser.parse_args()


class Bench:
    """Tarballs, a server, and the ways to bring the one into the other."""

    def __init__(self, folder: Path, alerts: int) -> None:
        self.folder = folder
        self.alerts = alerts
        self.config = Config(home=folder / "home", server_options=(POOL,))
        self.server = PrivateServer(self.config.home, self.config.server_options)
        self.server.ensure_started()
        ensure_schema(self.config)
        nights = folder / "nights"
        self.first, self.second = simulate_nights([20240110, 20240111], alerts, nights, seed=3)
        (self.small,) = simulate_nights([20240109], WARM_ALERTS, folder / "small", seed=3)
        (self.forced,) = simulate_nights([20240112], alerts, folder / "forced", seed=3, schema="4.02")

    def run(self) -> dict[str, float]:
        """Measure everything; one figure per key."""
        ceiling = statistics.median(self.gunzip() for _ in range(3))
        plain = self.plain()
        with_fastavro = self.pipeline([self.first], "fastavro")
        one = self.pipeline([self.first])
        two = self.pipeline([self.first, self.second])
        forced = self.pipeline([self.forced])
        return {
            "igzip_ceiling_per_s": ceiling,
            "plain_per_s": plain["rate"],
            "fastavro_per_s": with_fastavro["rate"],
            "fastavro_cpu_ms": with_fastavro["cpu_ms"],
            "one_tarball_per_s": one["rate"],
            "two_tarballs_per_s": two["rate"],
            "one_tarball_v4_per_s": forced["rate"],
            "plain_ratio": one["rate"] / plain["rate"],
            "gunzip_share": one["rate"] / ceiling,
            "cpu_ms": one["cpu_ms"],
            "server_cpu_ms": one["server_cpu_ms"],
            "summary_share": one["summary_share"],
            "peak_mb": max(one["peak_mb"], two["peak_mb"]),
            "startup_s": self.startup(),
        }

    def gunzip(self) -> float:
        """Alerts per second that igzip alone unpacks."""
        from isal import igzip

        began = time.perf_counter()
        opened: Any = igzip.open(self.first)  # type: ignore[no-untyped-call]
        with opened as file:
            while file.read(1 << 20):
                pass
        return self.alerts / (time.perf_counter() - began)

    def plain(self) -> dict[str, float]:
        """Measure what one writes without thinking of speed: see `load_plainly`."""
        with connect(self.config, Account.ADMIN, None) as connection:
            for statement in ("DROP DATABASE IF EXISTS plain", "CREATE DATABASE plain"):
                connection.exec_driver_sql(statement)
            for table in ("alerts", "alerts_limmag"):
                connection.exec_driver_sql(f"CREATE TABLE plain.{table} LIKE ztf.{table}")
        password = (self.config.secrets / "admin").read_text().strip()
        began = time.perf_counter()
        load_plainly(self.first, self.folder, str(self.server.socket), password)
        return {"rate": self.alerts / (time.perf_counter() - began)}

    def pipeline(self, tarballs: list[Path], decoder: str = "columnar") -> dict[str, float]:
        """Measure this pipeline, one process per tarball."""
        self.empty()
        context = multiprocessing.get_context("spawn")
        server_before = cpu_seconds(self.server.pid())
        with ProcessPoolExecutor(len(tarballs), context) as pool, context.Manager() as manager:
            barrier = manager.Barrier(len(tarballs) + 1)
            futures = [pool.submit(load_warm, self.config, path, self.small, decoder, barrier) for path in tarballs]
            barrier.wait()
            server_before = cpu_seconds(self.server.pid())
            began = time.perf_counter()
            results = [future.result() for future in futures]
            seconds = time.perf_counter() - began
        count = self.alerts * len(tarballs)
        return {
            "rate": count / seconds,
            "cpu_ms": sum(result["cpu"] for result in results) / count * 1000,
            "server_cpu_ms": (cpu_seconds(self.server.pid()) - server_before) / count * 1000,
            "summary_share": max(result["summary"] / result["seconds"] for result in results),
            "peak_mb": sum(result["peak_mb"] for result in results),
        }

    def startup(self) -> float:
        """Seconds from nothing to the end of loading one alert's worth of modules, caches warm."""
        code = "from ingest.decoding import open_decoder; from ingest.surveys.ztf import Ztf; import ingest.session\n"
        code += "open_decoder(Ztf.wanted, 'columnar')"
        times = []
        for _ in range(4):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - began)
        return min(times[1:])

    def empty(self) -> None:
        """Empty the tables and the thumbnail store."""
        with connect(self.config, Account.ADMIN, "ztf") as connection:
            for table in ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "tarballs", "rejects", "summary"):
                connection.exec_driver_sql(f"TRUNCATE TABLE {table}")
            connection.exec_driver_sql(f"TRUNCATE TABLE {public_database('ztf')}.summary")
        shutil.rmtree(self.config.home / "thumbnails", ignore_errors=True)


def load_warm(config: Config, tarball: Path, small: Path, decoder: str, barrier: Any) -> dict[str, float]:
    """Load a small tarball, wait for the others, then load `tarball` and say what it took."""
    survey = Ztf()
    warm = small.with_name(f"warm_{os.getpid()}.tar.gz")
    shutil.copy(small, warm)
    (source,) = find_sources([warm])
    load_tarball(source, config, survey, decoder=decoder)
    (source,) = find_sources([tarball])
    summary = watch_summary()
    barrier.wait()
    cpu, began = time.process_time(), time.perf_counter()
    load_tarball(source, config, survey, decoder=decoder)
    return {
        "cpu": time.process_time() - cpu,
        "seconds": time.perf_counter() - began,
        "summary": sum(summary),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def watch_summary() -> list[float]:
    """Have each update of the summary note its seconds in the list returned."""
    transaction: Any = importlib.import_module("ingest.transaction")
    seconds: list[float] = []
    update = transaction.update_summary

    def timed(*arguments: Any) -> None:
        began = time.perf_counter()
        update(*arguments)
        seconds.append(time.perf_counter() - began)

    transaction.update_summary = timed
    return seconds


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


def cpu_seconds(pid: int | None) -> float:
    """CPU time, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
