"""What it costs to keep the checksums of the shared tables while tarballs are merged.

Two nights of the same simulated objects are merged, the second onto the first, into the tables as they are, and into
the same tables without hashes and sums; the times are the best of several rounds, taken in turns on one server. They
are in milliseconds an alert; `more_ms` is what the checksums cost in all tables together.

Examples
--------
    python benchmarks/checksums.py --quick
    python benchmarks/checksums.py --alerts 3000 --json checksums.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from benchmarks.support.program import Program
from benchmarks.support.servers import serving
from ingest.contents import Findings, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.load import insert_rows
from ingest.shared_tables import merge_rows
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from argparse import Namespace

    import polars as pl
    from sqlalchemy import Connection

    from alertdb.config import Config
    from benchmarks.support.program import Figures
    from ingest.surveys import SharedTable

ROUNDS = 5
SURVEY = Ztf()
TABLES = (SURVEY.limits, SURVEY.history, SURVEY.forced)


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 5_000, 1_000, help="alerts in each of the two nights")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Merge both nights with and without checksums; all times in ms an alert."""
    tarballs = simulate_nights([20240101, 20240102], options.alerts, folder / "nights", seed=5, schema="4.02")
    nights = [read_frames(tarball, folder) for tarball in tarballs]
    figures: Figures = {"alerts": options.alerts, "with_ms": 0.0, "without_ms": 0.0}
    with serving(folder / "home", "innodb_buffer_pool_size=1G") as config:
        make_plain_tables(config)
        with connect(config, Account.LOADER) as connection:
            for table in TABLES:
                first, second = (night[table.name] for night in nights)
                seconds = merge_in_turns(connection, table, first, second, folder)
                figures[f"{table.name}_rows_per_alert"] = second.height / options.alerts
                for name, took in seconds.items():
                    figures[f"{table.name}_{name}_ms"] = took / options.alerts * 1000
                    figures[f"{name}_ms"] += took / options.alerts * 1000
    return figures | {"more_ms": figures["with_ms"] - figures["without_ms"]}


def read_frames(tarball: Path, folder: Path) -> dict[str, pl.DataFrame]:
    """Return the rows that a tarball brings to each shared table."""
    (source,) = find_sources([tarball])
    shared = shared_rows(source, SURVEY, folder)
    with open_packets(source) as reader:
        for _, rows in read_rows(reader, open_decoder(SURVEY.wanted), SURVEY, Findings()):
            for name, frame in rows.shared.items():
                shared[name].add(frame)
    return {name: next(rows.merged()) for name, rows in shared.items()}


def make_plain_tables(config: Config) -> None:
    """Make tables like the shared ones that have no checksums."""
    with connect(config, Account.ADMIN) as admin:
        for table in TABLES:
            admin.exec_driver_sql(f"CREATE TABLE {table.name}_plain LIKE {table.name}")
            admin.exec_driver_sql(f"ALTER TABLE {table.name}_plain DROP COLUMN row_hash")


def merge_in_turns(
    connection: Connection, table: SharedTable, first: pl.DataFrame, second: pl.DataFrame, folder: Path
) -> dict[str, float]:
    """Return the seconds that merging the second night onto the first takes with checksums and without, at best."""
    plain = replace(table, name=f"{table.name}_plain")
    times: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(ROUNDS):
        for key, target, merge in (("with", table, merge_with_hashes), ("without", plain, merge_plainly)):
            merge(connection, target, first, folder)
            began = time.perf_counter()
            merge(connection, target, second, folder)
            times[key].append(time.perf_counter() - began)
            connection.rollback()
    return {key: min(values) for key, values in times.items()}


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
