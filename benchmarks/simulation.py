"""How fast nights are simulated, how large they are, and how much memory that takes.

Run it as ``python benchmarks/simulation.py [--alerts N] [--schema 3.3|4.02] [--workers N]``. The tarball goes
to a temporary folder and is removed.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from ingest.simulation.nights import simulate_nights
from ingest.simulation.packets import VERSIONS


def main() -> None:
    """Simulate one night and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--schema", choices=VERSIONS, default=VERSIONS[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        (path,) = simulate_nights(
            [20210901], options.alerts, Path(folder), schema=options.schema, workers=options.workers
        )
        seconds = time.perf_counter() - start
        size = path.stat().st_size
    rate, each = options.alerts / seconds, size / options.alerts / 1e3
    print(f"{options.alerts:,} alerts of schema {options.schema}, {options.workers} workers")
    print(f"{seconds:.1f} s, {rate:,.0f} alerts/s, {each:.1f} kB of tar.gz an alert")
    for name, who in (("this process", resource.RUSAGE_SELF), ("workers", resource.RUSAGE_CHILDREN)):
        used = resource.getrusage(who)
        cpu = used.ru_utime + used.ru_stime
        print(f"{name}: largest peak memory {used.ru_maxrss / 1024:.0f} MiB, CPU {cpu:.1f} s")


if __name__ == "__main__":
    main()
