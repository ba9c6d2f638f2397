"""What a scrape of the metrics costs, on an archive with many nights in its ledger.

    python benchmarks/metrics.py [--tarballs N] [--json FILE] [--quick]

The ledger is filled with copies of one night's entry, and the folder of thumbnails with as many files; how many alerts
there are makes no difference, as no question reads them. Scrapes go through the collector that `alertdb metrics`
serves; times are in milliseconds. Quick is with a tenth of the tarballs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent  # its ingest.py would stand before the package `ingest`
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != HERE]

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.metrics.collector import ArchiveCollector
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

SCRAPES = 50


def main() -> None:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tarballs", type=int, default=5000, help="entries of the ledger")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--quick", action="store_true", help="a tenth of the tarballs; says so")
    options = parser.parse_args()
    tarballs = options.tarballs // 10 if options.quick else options.tarballs
    with tempfile.TemporaryDirectory() as name:
        config = Config(home=Path(name) / "home")
        server = PrivateServer(config.home)
        server.ensure_started()
        try:
            fill(config, tarballs, Path(name) / "night")
            times = scrape(config)
        finally:
            server.ensure_stopped()
    figures = {
        "quick": int(options.quick),
        "tarballs": tarballs,
        "scrape_ms_median": round(statistics.median(times), 1),
        "scrape_ms_most": round(max(times), 1),
    }
    print(("Quick run. " if options.quick else "") + ", ".join(f"{name} {value}" for name, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def fill(config: Config, tarballs: int, folder: Path) -> None:
    """Load a night, and have the ledger and the thumbnails tell of many."""
    ensure_schema(config)
    for source in find_sources(simulate_nights([20240101], 100, folder)):
        load_tarball(source, config, Ztf())
    with connect(config, Account.ADMIN) as connection:
        columns = [row[0] for row in connection.exec_driver_sql("SHOW COLUMNS FROM tarballs")]
        new = {"id": "id + seq", "name": "CONCAT(name, seq)", "sha256": "SHA2(seq, 256)"}
        values = ", ".join(new.get(column, f"`{column}`") for column in columns)
        connection.exec_driver_sql(
            f"INSERT INTO tarballs SELECT {values} FROM tarballs JOIN seq_1_to_{tarballs - 1} ON TRUE"
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
