"""What it would bring to cut the shared tables by month, and what it would cost.

    python benchmarks/monthly_tables.py [--quick] [--json FILE] [--data FOLDER]

Upper limits as `alerts_limmag` holds them, twelve for each object over five and a half years, in two tables: one as it
is, ordered by object and time; and one cut into a partition for each 30 days. The server's memory is an eighth of the
table, and reading passes by the system's page cache. Measured are the rows of a night (ten thousand objects, nine rows
each, all of the last month) on their way in, and the limits of single objects on their way out; each on a server that
has just started.
"""

from __future__ import annotations

import sys

del sys.path[0]  # this folder, whose ingest.py would stand before the package `ingest`

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alertdb.config import Config
from alertdb.database import Account, connect
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from sqlalchemy import Connection

OBJECTS, QUICK_OBJECTS = 1_000_000, 100_000
ROWS, NIGHT_ROWS = 12, 9  # of each object
NIGHT_OBJECTS, QUICK_NIGHT_OBJECTS = 10_000, 2_000
ASKED = 500  # objects whose limits are asked for
FIRST, DAYS, MONTH = 2_458_300, 2010, 30  # Julian date, days, days
PARTITIONS = ", ".join(f"PARTITION m{number} VALUES LESS THAN ({number + 1})" for number in range(DAYS // MONTH))
COLUMNS = "objectId VARCHAR(32) NOT NULL, jd DOUBLE NOT NULL, fid TINYINT NOT NULL, diffmaglim FLOAT, pid BIGINT"
TABLES = {
    "whole": f"CREATE TABLE whole ({COLUMNS}, month SMALLINT NOT NULL, PRIMARY KEY (objectId, jd, fid))",
    "monthly": f"CREATE TABLE monthly ({COLUMNS}, month SMALLINT NOT NULL, PRIMARY KEY (objectId, jd, fid, month)) "
    f"PARTITION BY RANGE (month) ({PARTITIONS})",
}
NAME = "CONCAT('ZTF18', LPAD({}, 9, '0'))"
FILL = f"""
INSERT INTO {{table}}
SELECT {NAME.format("seq DIV {rows}")}, {FIRST} + day, seq MOD 3 + 1, 20.5, seq, day DIV {MONTH}
FROM (SELECT seq, {DAYS - MONTH} * RAND(seq) AS day FROM seq_{{first}}_to_{{last}}) AS made
"""
NIGHT = f"""
INSERT INTO {{table}}
SELECT {NAME.format("number")}, {FIRST + DAYS - MONTH} + 3 * (seq - 1) + RAND(number), seq MOD 3 + 1, 20.5, seq,
    {DAYS // MONTH - 1}
FROM night STRAIGHT_JOIN seq_1_to_{NIGHT_ROWS} ORDER BY number, seq
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute, at a smaller size")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--data", type=Path, help="folder for the tables (4 GB; a fast local disk)")
    options = parser.parse_args()
    if options.data and not options.data.is_dir():
        parser.error(f"--data: {options.data} is no folder; make it first")
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json: {options.json.parent} is no folder; make it first")
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        figures = measure(Path(folder), quick=options.quick)
    figures["quick"] = options.quick
    for name, value in figures.items():
        print(f"{name:28} {value:14.3f}" if isinstance(value, float) else f"{name:28} {value!s:>14}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(folder: Path, *, quick: bool) -> dict[str, float]:
    """Make both tables, and measure each alone; return one figure per key."""
    objects = QUICK_OBJECTS if quick else OBJECTS
    night = random.Random(1).sample(range(objects), QUICK_NIGHT_OBJECTS if quick else NIGHT_OBJECTS)
    asked = random.Random(2).sample(range(objects), ASKED)
    with_server(folder, 2 << 30, lambda connection: fill(connection, objects))
    figures: dict[str, float] = {"rows": objects * ROWS}
    for table in TABLES:
        size = sum(path.stat().st_size for path in folder.rglob(f"{table}*.ibd"))
        figures[f"{table}_mb"] = size / 1e6
        pool = max(size // 8, 8 << 20)
        seconds, pages = with_server(folder, pool, lambda connection, table=table: load_night(connection, table, night))
        figures |= {f"{table}_night_s": seconds, f"{table}_night_pages_read": pages}
        cold, warm = with_server(folder, pool, lambda connection, table=table: ask(connection, table, asked))
        figures |= {f"{table}_object_cold_ms": cold, f"{table}_object_warm_ms": warm}
    return figures


def with_server(folder: Path, pool: int, action: Any) -> Any:
    """Run `action` on a server with a buffer pool of that many bytes, cold."""
    settings = (
        f"innodb_buffer_pool_size={pool}",
        "innodb_flush_method=O_DIRECT",
        "innodb_buffer_pool_load_at_startup=OFF",
    )
    config = Config(home=folder / "home", server_options=settings)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    try:
        ensure_schema(config)
        with connect(config, Account.ADMIN, "ztf") as connection:
            return action(connection)
    finally:
        server.ensure_stopped()


def fill(connection: Connection, objects: int) -> None:
    """Make both tables."""
    for table, statement in TABLES.items():
        connection.exec_driver_sql(statement)
        step = 100_000 * ROWS
        for first in range(0, objects * ROWS, step):
            last = min(first + step, objects * ROWS) - 1
            connection.exec_driver_sql(FILL.format(table=table, rows=ROWS, first=first, last=last))
            connection.commit()


def load_night(connection: Connection, table: str, objects: list[int]) -> tuple[float, int]:
    """Load the rows of a night; return how long it took, and how many pages the server read for it."""
    connection.exec_driver_sql("CREATE TEMPORARY TABLE night (number INT PRIMARY KEY) ENGINE = InnoDB")
    listed = ", ".join(f"({number})" for number in objects)
    connection.exec_driver_sql(f"INSERT INTO night VALUES {listed}")
    before, began = pages_read(connection), time.perf_counter()
    connection.exec_driver_sql(NIGHT.format(table=table))
    connection.commit()
    return time.perf_counter() - began, pages_read(connection) - before


def ask(connection: Connection, table: str, objects: list[int]) -> tuple[float, float]:
    """Return the median time of a question for the limits of one object, at first and again, in ms."""
    times: list[list[float]] = [[], []]
    for number in objects:
        query = f"SELECT jd, fid, diffmaglim FROM {table} WHERE objectId = {NAME.format(number)} ORDER BY jd"
        for turn in times:
            began = time.perf_counter()
            rows = connection.exec_driver_sql(query).all()
            turn.append((time.perf_counter() - began) * 1e3)
            if len(rows) < ROWS:
                raise AssertionError(f"{number} has {len(rows)} rows in {table}, {ROWS} or more were made")
    return statistics.median(times[0]), statistics.median(times[1])


def pages_read(connection: Connection) -> int:
    """Return how many pages the server has read from the disk."""
    return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Innodb_pages_read'").one()[1])


if __name__ == "__main__":
    main()
