"""What a scrape of the metrics costs, on an archive with many nights in its ledger.

The ledger is filled with copies of one night's entry, and the folder of thumbnails with as many files; how many alerts
there are makes no difference, as no question reads them. Scrapes go through the collector that `alertdb metrics`
serves; times are in milliseconds.

Examples
--------
    python benchmarks/metrics.py --quick
    python benchmarks/metrics.py --tarballs 10000 --json metrics.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import statistics
import time
from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from alertdb.database import Account, connect
from alertdb.metrics.collector import ArchiveCollector
from benchmarks.support.program import Program
from benchmarks.support.servers import serving
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from argparse import Namespace

    from alertdb.config import Config
    from benchmarks.support.program import Figures

SCRAPES = 50


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("tarballs", 5_000, 500, help="entries of the ledger")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Fill a ledger and scrape."""
    with serving(folder / "home") as config:
        fill(config, options.tarballs, folder / "night")
        times = scrape(config)
    return {
        "tarballs": options.tarballs,
        "scrape_ms_median": round(statistics.median(times), 1),
        "scrape_ms_most": round(max(times), 1),
    }


def fill(config: Config, tarballs: int, folder: Path) -> None:
    """Load a night, and have the ledger and the thumbnails tell of many."""
    for source in find_sources(simulate_nights([20240101], 100, folder)):
        load_tarball(source, config, Ztf())
    with connect(config, Account.ADMIN) as connection:
        columns = [row[0] for row in connection.exec_driver_sql("SHOW COLUMNS FROM tarballs")]
        new = {"id": "id + seq", "name": "CONCAT(name, seq)", "sha256": "SHA2(seq, 256)"}
        values = ", ".join(new.get(column, f"`{column}`") for column in columns)
        connection.exec_driver_sql(
            f"INSERT INTO tarballs SELECT {values} FROM tarballs JOIN seq_1_to_{tarballs} ON seq < {tarballs}"
        )
        connection.commit()
    for number in range(tarballs - 1):
        (config.home / "thumbnails" / "public" / f"{number}.zip").touch()


def scrape(config: Config) -> list[float]:
    """Return the milliseconds that each of some scrapes took."""
    registry = CollectorRegistry()
    registry.register(ArchiveCollector(config))
    times = []
    for _ in range(SCRAPES):
        began = time.perf_counter()
        generate_latest(registry)
        times.append(1000 * (time.perf_counter() - began))
    return times


if __name__ == "__main__":
    main()
