"""What it would bring to cut the shared tables by month, and what it would cost.

Upper limits as `alerts_limmag` holds them, twelve for each object over five and a half years, in two tables: one as it
is, ordered by object and time; and one cut into a partition for each 30 days. The server's memory is an eighth of the
table, and reading passes by the system's page cache. Measured are the rows of a night (ten thousand objects, nine rows
each, all of the last month) on their way in, and the limits of single objects on their way out; each on a server that
has just started. It takes 4 GB of disk.

Examples
--------
    python benchmarks/monthly_tables.py --quick
    python benchmarks/monthly_tables.py --data /fast/disk --json monthly_tables.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import random
import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from benchmarks.support.program import Program
from benchmarks.support.servers import serving

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from benchmarks.support.program import Figures

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
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Make both tables, and measure each alone; return one figure per key."""
    objects = QUICK_OBJECTS if options.quick else OBJECTS
    night = random.Random(1).sample(range(objects), QUICK_NIGHT_OBJECTS if options.quick else NIGHT_OBJECTS)
    asked = random.Random(2).sample(range(objects), ASKED)
    with cold_server(folder, 2 << 30) as connection:
        fill(connection, objects)
    figures: Figures = {"rows": objects * ROWS}
    for table in TABLES:
        size = sum(path.stat().st_size for path in folder.rglob(f"{table}*.ibd"))
        figures[f"{table}_mb"] = size / 1e6
        pool = max(size // 8, 8 << 20)
        with cold_server(folder, pool) as connection:
            seconds, pages = load_night(connection, table, night)
        figures |= {f"{table}_night_s": seconds, f"{table}_night_pages_read": pages}
        with cold_server(folder, pool) as connection:
            cold, warm = ask(connection, table, asked)
        figures |= {f"{table}_object_cold_ms": cold, f"{table}_object_warm_ms": warm}
    return figures


@contextmanager
def cold_server(folder: Path, pool: int) -> Iterator[Connection]:
    """Connect to a server that has just started, with a buffer pool of that many bytes."""
    settings = (
        f"innodb_buffer_pool_size={pool}",
        "innodb_flush_method=O_DIRECT",
        "innodb_buffer_pool_load_at_startup=OFF",
    )
    with serving(folder / "home", *settings) as config, connect(config, Account.ADMIN, "ztf") as connection:
        yield connection


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
