"""How the rate of loading holds up as the archive grows.

Tarballs of 10,000 simulated alerts are loaded into an empty archive, and into one that holds many more, with
their limits and history rows. Those rows are made without packets: the rows of a simulated night,
again and again under other names and times. The objects of the loaded tarballs are among them, so that their
histories and summaries stand among old rows. The buffer pool is an eighth of the data, and reading passes by the
system's page cache (innodb_flush_method = O_DIRECT).

Then the summary of all objects is rebuilt, which gives the time for an archive of 10 million alerts.

To make the rows takes most of the time. With --keep the archive stays, and a later run loads further nights into it.
5 million alerts take 25 GB of disk.

Examples
--------
    python benchmarks/scale.py --quick
    python benchmarks/scale.py --alerts 1000000 --data /fast/disk
    python benchmarks/scale.py --keep /fast/disk/archive --json scale.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import importlib
import json
import os
import statistics
import time
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from alertdb.database import Account, connect
from benchmarks.support.grown_archive import fill_archive
from benchmarks.support.program import Program
from benchmarks.support.servers import serving
from ingest.pipeline import load_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from alertdb.config import Config
    from benchmarks.support.program import Figures

PROBE_ALERTS, QUICK_PROBE_ALERTS = 10_000, 2_000
PROBES = 3  # tarballs that are timed, in the empty archive and in the full one
FILL_POOL = 6 << 30  # bytes, while rows are made: that part is not measured
SURVEY = Ztf()


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 5_000_000, 200_000, help="how many alerts the archive grows to")
    program.add_keep()
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Measure everything in a folder that goes away, but for an archive that is kept."""
    probe_alerts = QUICK_PROBE_ALERTS if options.quick else PROBE_ALERTS
    figures = Scale(folder, options.keep or folder, options.alerts, probe_alerts).run()
    return figures | {"cores": os.cpu_count() or 0}


class Scale:
    """An empty archive, a full one, and tarballs to be loaded into them."""

    def __init__(self, folder: Path, full: Path, alerts: int, probe_alerts: int) -> None:
        self.folder = folder
        self.full = full
        self.made = full / "made.json"  # rows of each table; written when all are made
        self.alerts = alerts
        used = len(list(full.glob("home/thumbnails/*/*.zip")))
        first = date(2024, 1, 10)
        nights = [first + timedelta(days=used + number) for number in range(2 * PROBES + 1)]
        self.probes = simulate_nights(
            [int(f"{night:%Y%m%d}") for night in nights], probe_alerts, folder / "nights", seed=3
        )
        self.merging = watch_merging()

    def run(self) -> Figures:
        """Measure everything; one figure per key."""
        with cold_server(self.folder / "empty", FILL_POOL) as config:
            before = self.load(config, self.probes[:PROBES])
        home = self.full / "home"
        if not self.made.exists():
            with cold_server(home, FILL_POOL) as config:
                counts = fill_archive(config, self.alerts, self.probes[PROBES:], self.folder)
            self.made.write_text(json.dumps(counts))
        rows = json.loads(self.made.read_text())
        self.alerts = rows["alerts"]
        size = sum(path.stat().st_size for path in home.rglob("*.ibd"))
        pool = size // 8
        with cold_server(home, pool) as config:
            after = self.load(config, self.probes[PROBES:], warm=1)
        with cold_server(home, pool) as config:
            rebuild = rebuild_seconds(config)
        return {
            "alerts": self.alerts,
            "data_gb": size / 1e9,
            "pool_gb": pool / 1e9,
            **{f"{name}_per_alert": count / self.alerts for name, count in rows.items()},
            "rate_at_none_per_s": before["rate"],
            "rate_at_full_per_s": after["rate"],
            "growth_ratio": after["rate"] / before["rate"],
            "shared_rows_at_none_per_s": before["shared"],
            "shared_rows_at_full_per_s": after["shared"],
            "shared_growth_ratio": after["shared"] / before["shared"],
            "summary_share_at_full": after["summary_share"],
            "rebuild_s_per_million": rebuild / self.alerts * 1e6,
            "rebuild_10_million_s": rebuild / self.alerts * 1e7,
        }

    def load(self, config: Config, tarballs: list[Path], warm: int = 0) -> dict[str, float]:
        """Load tarballs one after the other; the first `warm` of them are not counted."""
        rates, merged, summaries = [], [], []
        for path in tarballs:
            (source,) = find_sources([path])
            self.merging.clear()
            began = time.perf_counter()
            outcome = load_tarball(source, config, SURVEY)
            seconds = time.perf_counter() - began
            rates.append(outcome.alerts / seconds)
            merged.append(count_rows(config, outcome.name) / self.merging["merge_stage"])
            summaries.append((self.merging["compute"] + self.merging["write"]) / seconds)
        counted = slice(warm, None)
        return {
            "rate": statistics.median(rates[counted]),
            "shared": statistics.median(merged[counted]),
            "summary_share": statistics.median(summaries[counted]),
        }


@contextmanager
def cold_server(home: Path, pool: int) -> Iterator[Config]:
    """Run a server that has just started, with a buffer pool of that many bytes."""
    settings = (f"innodb_buffer_pool_size={max(pool, 64 << 20)}", "innodb_flush_method=O_DIRECT")
    with serving(home, *settings) as config:
        yield config


def watch_merging() -> dict[str, float]:
    """Have the merging of shared tables and of the summary note their seconds in the dictionary returned."""
    transaction: Any = importlib.import_module("ingest.transaction")
    summary = transaction.SummaryOfLoad
    seconds: dict[str, float] = {}

    def timed(name: str, call: Any) -> Any:
        def run(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments, **options)
            finally:
                seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began

        return run

    for owner, names in ((transaction, ["merge_stage"]), (summary, ["compute", "write"])):
        for name in names:
            setattr(owner, name, timed(name, getattr(owner, name)))
    return seconds


def count_rows(config: Config, tarball: str) -> int:
    """Return how many rows a tarball brought for the shared tables."""
    with connect(config, Account.LOADER, SURVEY.name) as connection:
        query = f"SELECT limits + history + forced FROM tarballs WHERE name = '{tarball}'"
        return int(connection.exec_driver_sql(query).scalar_one())


def rebuild_seconds(config: Config) -> float:
    """Rebuild the summary; return how long it took."""
    began = time.perf_counter()
    rebuild_all(config, SURVEY.name, lambda _: None)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
