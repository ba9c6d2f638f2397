"""How fast nights are simulated, how large they are, and how much memory that takes.

Examples
--------
    python benchmarks/simulation.py --quick
    python benchmarks/simulation.py --alerts 50000 --schema 4.02 --workers 1 --json simulation.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import os
import resource
import time
from typing import TYPE_CHECKING

from benchmarks.support.program import Program, count
from ingest.simulation.nights import simulate_nights
from ingest.simulation.packets import VERSIONS

if TYPE_CHECKING:
    from argparse import Namespace

    from benchmarks.support.program import Figures


def main() -> None:
    """Measure as the command line says."""
    program = Program(__doc__)
    program.add_size("alerts", 10_000, 1_000, help="alerts of the night")
    program.add_argument(
        "--schema", choices=VERSIONS, default=VERSIONS[0], help="of the packets (default: %(default)s)"
    )
    program.add_argument(
        "--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="processes (default: %(default)s)"
    )
    program.run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Simulate one night."""
    began = time.perf_counter()
    (path,) = simulate_nights([20210901], options.alerts, folder, schema=options.schema, workers=options.workers)
    seconds = time.perf_counter() - began
    return {
        "alerts": options.alerts,
        "workers": options.workers,
        "schema": float(options.schema),
        "seconds": seconds,
        "alerts_per_s": options.alerts / seconds,
        "kb_per_alert": path.stat().st_size / options.alerts / 1e3,
        **used("own", resource.RUSAGE_SELF),
        **used("workers", resource.RUSAGE_CHILDREN),
    }


def used(name: str, who: int) -> Figures:
    """Return the largest peak memory of these processes, and their CPU time."""
    usage = resource.getrusage(who)
    return {f"{name}_peak_mb": usage.ru_maxrss / 1024, f"{name}_cpu_s": usage.ru_utime + usage.ru_stime}


if __name__ == "__main__":
    main()
