"""Ways to bring rows into a table: CPU of the server and of this process, and wall time.

The rows are those that a simulated night brings to each table, each once. They go into an empty temporary table of the
same columns, so that what is compared is how they are told to the server, and not how it keeps them:

- `load_data`: written as tab-separated text by polars, read by `LOAD DATA LOCAL`
- `bound`: as values of a prepared INSERT in the protocol's binary form (`ingest.binding`)
- `driver`: the same by the driver's `executemany`, as where the line is encrypted

Examples
--------
    python benchmarks/loading_ways.py --quick
    python benchmarks/loading_ways.py --alerts 50000 --data /fast/disk --json loading_ways.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import os
import time
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import create_engine

from alertdb.database import Account, database_url
from benchmarks.support.program import Program
from benchmarks.support.servers import server_pid, serving
from ingest.contents import Findings, read_rows
from ingest.decoding import open_decoder
from ingest.load import LINK, load_rows
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from sqlalchemy import Connection

    from alertdb.config import Config
    from benchmarks.support.program import Figures

BATCHES = 40  # that a table's rows come in, about as in a load
ROUNDS = 3
SURVEY = Ztf()


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 20_000, 2_000, help="how many alerts the night has")
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Return milliseconds an alert by table and way, and microseconds of the server's CPU a field."""
    tables = read_tables(simulate_nights([20240110], options.alerts, folder, seed=3)[0])
    figures: Figures = {}
    with serving(folder / "home", "innodb_buffer_pool_size=1G", "local_infile=ON") as config:
        for table, frame in tables.items():
            figures[f"{table}_fields_per_alert"] = frame.height * frame.width / options.alerts
            for name, way in ways(folder).items():
                took = min(time_once(config, table, frame, way) for _ in range(ROUNDS))
                for label, seconds in zip(("server", "ours", "wall"), took, strict=True):
                    figures[f"{table}_{name}_{label}_ms"] = seconds / options.alerts * 1000
                figures[f"{table}_{name}_server_us_per_field"] = took[0] / (frame.height * frame.width) * 1e6
    return figures | {"alerts": options.alerts, "cores": os.cpu_count() or 0}


def read_tables(tarball: Path) -> dict[str, pl.DataFrame]:
    """Return the rows that a tarball brings to each table, each once."""
    frames: dict[str, list[pl.DataFrame]] = {}
    (source,) = find_sources([tarball])
    with open_packets(source) as reader:
        for _, rows in read_rows(reader, open_decoder(SURVEY.wanted), SURVEY, Findings()):
            frames.setdefault("alerts", []).append(rows.alerts.select(SURVEY.alert_columns))
            for table in (SURVEY.limits, SURVEY.history):
                frames.setdefault(table.name, []).append(rows.shared[table.name].select(table.columns))
    return {name: unique(pl.concat(parts)) for name, parts in frames.items()}


def unique(frame: pl.DataFrame) -> pl.DataFrame:
    """Return each different row once."""
    values = [name for name in frame.columns if name != "packet_candid"]
    return frame.unique(values, keep="first", maintain_order=True)


def ways(folder: Path) -> dict[str, Callable[[Connection, pl.DataFrame], None]]:
    """Return what is compared."""
    path = folder / "rows.tsv"

    def load_data(connection: Connection, frame: pl.DataFrame) -> None:
        frame.write_csv(path, include_header=False, separator="\t", null_value="\\N", quote_style="never")
        cursor = connection.connection.cursor()
        cursor.execute("LOAD DATA LOCAL INFILE ? REPLACE INTO TABLE rows_told CHARACTER SET utf8mb4", (str(path),))
        cursor.close()

    def bound(connection: Connection, frame: pl.DataFrame) -> None:
        load_rows(connection, "rows_told", frame)

    def driver(connection: Connection, frame: pl.DataFrame) -> None:
        connection.info[LINK] = None
        load_rows(connection, "rows_told", frame)

    return {"load_data": load_data, "bound": bound, "driver": driver}


def time_once(
    config: Config, table: str, frame: pl.DataFrame, way: Callable[[Connection, Any], None]
) -> tuple[float, float, float]:
    """Return the CPU seconds of the server and of this process, and the seconds that passed."""
    engine = create_engine(database_url(config, Account.LOADER, SURVEY.name), connect_args={"local_infile": True})
    with engine.connect() as connection:
        names = ", ".join(f"`{name}`" for name in frame.columns)
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE rows_told ENGINE = Aria TRANSACTIONAL = 0 SELECT {names} FROM {table} LIMIT 0"
        )
        server = server_pid(config)
        server_before, ours, began = threads_seconds(server), time.process_time(), time.perf_counter()
        for part in frame.iter_slices(max(1, frame.height // BATCHES)):
            way(connection, part)
        took = threads_seconds(server) - server_before, time.process_time() - ours, time.perf_counter() - began
        stored = connection.exec_driver_sql("SELECT COUNT(*) FROM rows_told").scalar_one()
        if stored != frame.height:
            raise SystemExit(f"{stored} rows arrived of {frame.height}")
    return took


def threads_seconds(pid: int | None) -> float:
    """CPU time that the threads of a process have used, finer than the ticks of `cpu_seconds`."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


if __name__ == "__main__":
    main()
