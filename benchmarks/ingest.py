"""How fast a tarball becomes rows and thumbnails: the plain way, this pipeline with fastavro, this pipeline.

Everything is measured in one run on one machine: simulated tarballs of schema 3.3 and 4.02, a private MariaDB on the
same cores, all tables, thumbnails and the ledger on. Each way runs in a process of its own that is warm: modules are
imported and a small tarball is loaded before the clock starts. `startup_s` is what importing costs, `small_tarball_s`
how long the program takes in all for so small a tarball.

CPU time is told by stage. `reading` reads, hashes, unpacks and walks the tar; `decoding` and `rows` are the decoder and
the survey's cleaning; `loading` sends rows and waits for the server; `thumbnails` writes the documents; `other` is
what is left of the process: the merging of results, and polars' own thread. `server` is MariaDB, all its threads.

`cells_different` compares what both decoders make of all simulated packets, and of the real ones if
`$ALERTDB_TEST_DATA`, else ``../shared/data``, has some; floats bit by bit.

Examples
--------
    python benchmarks/ingest.py --quick
    python benchmarks/ingest.py --data /fast/disk --json ingest.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import importlib
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from alertdb.database import Account, connect
from alertdb.schema import public_database
from alertdb.server import PrivateServer
from benchmarks.support.cells import count_cells
from benchmarks.support.plain_way import load_plainly
from benchmarks.support.program import ROOT, Program
from benchmarks.support.real_packets import real_tarballs
from benchmarks.support.servers import cpu_seconds, server_pid, serving
from ingest.pipeline import load_tarball
from ingest.session import step_back
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from argparse import Namespace

    from alertdb.config import Config
    from benchmarks.support.program import Figures

ALERTS, QUICK_ALERTS, WARM_ALERTS = 20_000, 2_000, 50
LONG = 5  # a tarball this many times as long takes no more memory
STAGES = {"prefetch": "reading", "load": "loading", "thumbnails": "thumbnails"}  # of the loader's threads
POOL = "innodb_buffer_pool_size=2G"


def main() -> None:
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Measure everything in a folder."""
    alerts = QUICK_ALERTS if options.quick else ALERTS
    with serving(folder / "home", POOL, "local_infile=ON") as config:
        figures = Bench(folder, config, alerts, quick=options.quick).run()
    return figures | {"alerts": alerts, "cores": os.cpu_count() or 0}


class Bench:
    """Tarballs, a server, and the ways to bring the one into the other."""

    def __init__(self, folder: Path, config: Config, alerts: int, *, quick: bool) -> None:
        self.folder = folder
        self.config = config
        self.quick = quick
        self.alerts = alerts
        nights = folder / "nights"
        self.first, self.second = simulate_nights([20240110, 20240111], alerts, nights, seed=3)
        (self.small,) = simulate_nights([20240109], WARM_ALERTS, folder / "small", seed=3)
        (self.forced,) = simulate_nights([20240112], alerts, folder / "forced", seed=3, schema="4.02")

    def run(self) -> Figures:
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
            **{name: value for name, value in one.items() if name.startswith("cpu_ms_")},
            "cpu_ms_server": one["server_cpu_ms"],
            "summary_share": one["summary_share"],
            "one_tarball_peak_mb": one["peak_mb"],
            "peak_mb": max(one["peak_mb"], two["peak_mb"]),
            **({} if self.quick else self.long_tarball(one["peak_mb"])),
            "startup_s": self.startup(),
            "small_tarball_s": self.small_tarball(),
            **count_cells([self.first, self.second, self.forced, *real_tarballs()]),
        }

    def long_tarball(self, peak_mb: float) -> Figures:
        """Measure the memory that a tarball takes which is `LONG` times as long."""
        (path,) = simulate_nights([20240113], LONG * self.alerts, self.folder / "long", seed=3)
        long = self.pipeline([path])
        path.unlink()
        return {
            "long_alerts": LONG * self.alerts,
            "long_peak_mb": long["peak_mb"],
            "long_peak_ratio": long["peak_mb"] / peak_mb,
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
        load_plainly(self.first, self.folder, str(PrivateServer(self.config.home).socket), password)
        return {"rate": self.alerts / (time.perf_counter() - began)}

    def pipeline(self, tarballs: list[Path], decoder: str = "columnar") -> dict[str, float]:
        """Measure this pipeline, one process per tarball."""
        self.empty()
        context = multiprocessing.get_context("spawn")
        server_before = cpu_seconds(server_pid(self.config))
        with ProcessPoolExecutor(len(tarballs), context) as pool, context.Manager() as manager:
            barrier = manager.Barrier(len(tarballs) + 1)
            futures = [
                pool.submit(load_warm, self.config, path, self.small, decoder, barrier, place)
                for place, path in enumerate(tarballs)
            ]
            barrier.wait()
            server_before = cpu_seconds(server_pid(self.config))
            began = time.perf_counter()
            results = [future.result() for future in futures]
            seconds = time.perf_counter() - began
        count = sum(result["alerts"] for result in results)
        stages = {name for result in results for name in result if name.startswith("cpu_ms_")}
        return {
            "rate": count / seconds,
            "cpu_ms": sum(result["cpu"] for result in results) / count * 1000,
            **{name: sum(result.get(name, 0.0) for result in results) / count for name in sorted(stages)},
            "server_cpu_ms": (cpu_seconds(server_pid(self.config)) - server_before) / count * 1000,
            "summary_share": max(result["summary"] / result["seconds"] for result in results),
            "peak_mb": sum(result["peak_mb"] for result in results),
        }

    def startup(self) -> float:
        """Seconds from nothing to the end of loading one alert's worth of modules, caches warm."""
        code = "from ingest.decoding import open_decoder; from ingest.surveys.ztf import Ztf; import ingest.session\n"
        code += "open_decoder(Ztf.wanted, 'columnar')"
        return min(call_python("-c", code) for _ in range(4))

    def small_tarball(self) -> float:
        """Seconds of `alertdb ingest` with `WARM_ALERTS` alerts, from the call to the end of the process."""
        times = []
        for _ in range(4):
            self.empty()
            arguments = ("ingest", str(self.small), "--home", str(self.config.home))
            times.append(call_python("-m", "alertdb.cli.main", *arguments))
        return min(times)

    def empty(self) -> None:
        """Empty the tables and the thumbnail store."""
        with connect(self.config, Account.ADMIN, "ztf") as connection:
            for table in ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "tarballs", "rejects", "summary"):
                connection.exec_driver_sql(f"TRUNCATE TABLE {table}")
            connection.exec_driver_sql(f"TRUNCATE TABLE {public_database('ztf')}.summary")
        shutil.rmtree(self.config.home / "thumbnails", ignore_errors=True)


def call_python(*arguments: str) -> float:
    """Run Python and return its seconds. Its own cache is one of those that are warm, whatever the environment says.

    It starts in the repository, as its own path begins with the folder that it starts in.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def load_warm(config: Config, tarball: Path, small: Path, decoder: str, barrier: Any, place: int) -> dict[str, float]:
    """Load a small tarball, wait for the others, then load `tarball` and say what it took."""
    survey = Ztf()
    warm = small.with_name(f"warm_{os.getpid()}.tar.gz")
    shutil.copy(small, warm)
    (source,) = find_sources([warm])
    load_tarball(source, config, survey, decoder=decoder)
    (source,) = find_sources([tarball])
    summary, stages = watch_summary(), watch_stages()
    step_back(place)  # as `alertdb ingest` does
    barrier.wait()
    cpu, began = time.process_time(), time.perf_counter()
    outcome = load_tarball(source, config, survey, decoder=decoder)
    cpu, took = time.process_time() - cpu, time.perf_counter() - began
    stages["other"] = cpu - sum(stages.values())
    return {
        "alerts": outcome.alerts,
        "cpu": cpu,
        "seconds": took,
        "summary": sum(summary),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **{f"cpu_ms_{name}": seconds * 1000 for name, seconds in stages.items()},
    }


def watch_stages() -> dict[str, float]:
    """Have the loader's threads, and two functions of its main thread, note their CPU seconds in what is returned."""
    seconds: dict[str, float] = dict.fromkeys([*STAGES.values(), "decoding", "rows"], 0.0)

    def timed(stage: str | None, call: Any) -> Any:
        def run(self: Any, *arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return call(self, *arguments)
            finally:
                name = stage or STAGES.get(self.name.partition("_")[0])
                if name is not None:
                    seconds[name] += time.thread_time() - began

        return run

    columnar: Any = importlib.import_module("ingest.decoding.columnar")
    fastavro_way: Any = importlib.import_module("ingest.decoding.by_fastavro")
    threads: Any = threading.Thread
    threads.run = timed(None, threads.run)
    survey: Any = Ztf
    survey.rows = timed("rows", survey.rows)
    for decoder in (columnar.ColumnarDecoder, fastavro_way.FastavroDecoder):
        decoder.decode = timed("decoding", decoder.decode)
    return seconds


def watch_summary() -> list[float]:
    """Have the computing of the summary and its writing note their seconds in the list returned."""
    summary: Any = importlib.import_module("ingest.summary").SummaryOfLoad
    seconds: list[float] = []

    def timed(call: Any) -> Any:
        def run(*arguments: Any, **options: Any) -> None:
            began = time.perf_counter()
            call(*arguments, **options)
            seconds.append(time.perf_counter() - began)

        return run

    summary.compute, summary.write = timed(summary.compute), timed(summary.write)
    return seconds


if __name__ == "__main__":
    main()
