"""What it costs to keep the checksums of the shared tables while tarballs are merged.

    python benchmarks/checksums.py [--alerts N]

Two nights of the same simulated objects are merged, the second onto the first, into the tables as they are, and into
the same tables without hashes and sums; the times are the best of several rounds, taken in turns on one server.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent  # its ingest.py would stand before the package `ingest`
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != HERE]

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.contents import Findings, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.load import insert_rows
from ingest.shared_tables import merge_rows
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    import polars as pl
    from sqlalchemy import Connection

    from ingest.surveys import SharedTable

ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=5000, help="alerts in each of the two nights")
    alerts = parser.parse_args().alerts
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tarballs = simulate_nights([20240101, 20240102], alerts, folder / "nights", seed=5, schema="4.02")
        nights = [read_frames(tarball, folder) for tarball in tarballs]
        config = Config(home=folder / "home", server_options=("innodb_buffer_pool_size=1G",))
        server = PrivateServer(config.home, config.server_options)
        server.ensure_started()
        try:
            ensure_schema(config)
            measure(config, nights, alerts, folder)
        finally:
            server.ensure_stopped()


def read_frames(tarball: Path, folder: Path) -> dict[str, pl.DataFrame]:
    """Return the rows that a tarball brings to each shared table."""
    survey = Ztf()
    (source,) = find_sources([tarball])
    shared = shared_rows(source, survey, folder)
    with open_packets(source) as reader:
        for _, rows in read_rows(reader, open_decoder(survey.wanted), survey, Findings()):
            for name, frame in rows.shared.items():
                shared[name].add(frame)
    return {name: next(rows.merged()) for name, rows in shared.items()}


def measure(config: Config, nights: list[dict[str, pl.DataFrame]], alerts: int, folder: Path) -> None:
    """Merge both nights with and without checksums, in turns."""
    survey = Ztf()
    with connect(config, Account.ADMIN) as admin:
        for table in (survey.limits, survey.history, survey.forced):
            admin.exec_driver_sql(f"CREATE TABLE {table.name}_plain LIKE {table.name}")
            admin.exec_driver_sql(f"ALTER TABLE {table.name}_plain DROP COLUMN row_hash")
    total = {"with": 0.0, "without": 0.0}
    with connect(config, Account.LOADER) as connection:
        for table in (survey.limits, survey.history, survey.forced):
            first, second = (night[table.name] for night in nights)
            plain = replace(table, name=f"{table.name}_plain")
            times: dict[str, list[float]] = {"with": [], "without": []}
            for _ in range(ROUNDS):
                for key, target, merge in (("with", table, merge_with_hashes), ("without", plain, merge_plainly)):
                    merge(connection, target, first, folder)
                    began = time.perf_counter()
                    merge(connection, target, second, folder)
                    times[key].append(time.perf_counter() - began)
                    connection.rollback()
            best = {key: min(values) / alerts * 1000 for key, values in times.items()}
            total = {key: total[key] + best[key] for key in total}
            rows = second.height / alerts
            print(f"{table.name}: {rows:.1f} rows an alert, {best['with']:.4f} ms an alert with checksums, ", end="")
            print(f"{best['without']:.4f} ms without")
    print(f"all: {total['with'] - total['without']:.4f} ms an alert more (merging without: {total['without']:.4f} ms)")


def merge_with_hashes(connection: Connection, table: SharedTable, frame: pl.DataFrame, folder: Path) -> None:
    """Merge as a load does."""
    merge_rows(connection, table, [frame], folder)


def merge_plainly(connection: Connection, table: SharedTable, frame: pl.DataFrame, _: Path) -> None:
    """Merge without hashes, and without looking for repeated rows."""
    values = [name for name in table.columns if name not in table.key]
    old = f"{table.name}.packet_candid"
    updates = (
        f"`{name}` = IF(VALUES(packet_candid) > {old}, VALUES(`{name}`), {table.name}.`{name}`)" for name in values
    )
    clause = f"ON DUPLICATE KEY UPDATE {', '.join(updates)}"
    insert_rows(connection, table.name, table.columns, [frame.select(table.columns)], clause)


if __name__ == "__main__":
    main()
