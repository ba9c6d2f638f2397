"""What decoding a packet costs: a plain loop over fastavro's reader, our decoder with fastavro, the compiled one.

Decodes all fields that the archive wants of real packets, repeated, in batches as the ingest does. Each way runs in
turn, several times, and the fastest run counts, in milliseconds of CPU a packet. `ratio` is how many times as fast as
the plain loop a decoder is. Beside the times: where the compiled decoder's go, what the first packet costs in a fresh
process, and how many cells differ from the plain loop's, floats compared bit by bit. v3 and v4 are the schemas of the
packets, which are found in `$ALERTDB_TEST_DATA`, else in ``../shared/data``.

Examples
--------
    python benchmarks/decoding.py --quick
    ALERTDB_TEST_DATA=/data python benchmarks/decoding.py --json decoding.json
"""

# ruff: noqa: SLF001 - the stages are private to the decoder

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import io
import struct
import subprocess
import time
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import fastavro
import numpy as np
import pyarrow as pa

from benchmarks.support.program import ROOT, Program
from benchmarks.support.real_packets import real_packets
from ingest.decoding import Packets, open_decoder
from ingest.decoding.columnar import ColumnarDecoder
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator

    from benchmarks.support.program import Figures

PATTERNS = {"v3": "ztf_public_2021*", "v4": "ztf_public_2023*"}
BATCH = 240  # packets; 16 MB, as the reader yields them
PACKETS, PACKETS_QUICK = 4800, 480
REPEATS = 5
START = """
import time; began = time.perf_counter()
import sys; import numpy as np
from ingest.decoding import Packets, open_decoder
from ingest.surveys.ztf import Ztf
packet = sys.stdin.buffer.read()
ready = time.perf_counter()
decoded = open_decoder(Ztf.wanted, "columnar").decode(Packets(packet, np.array([0]), np.array([len(packet)])))
assert decoded.packets.num_rows == 1
print(time.perf_counter() - began, time.perf_counter() - ready)
"""


def main() -> None:
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(_: Path, options: Namespace) -> Figures:
    """Measure everything."""
    count = PACKETS_QUICK if options.quick else PACKETS
    samples = {name: list(islice(cycle(whole_packets(pattern)), count)) for name, pattern in PATTERNS.items()}
    figures: Figures = {"packets": count}
    for name, packets in samples.items():
        found = measure_ways(packets) | measure_stages(packets)
        found |= {f"{way}_ratio": found["reader_ms"] / found[f"{way}_ms"] for way in ("fastavro", "columnar")}
        figures |= {f"{name}_{key}": value for key, value in found.items()}
    return figures | measure_start(samples["v4"][0]) | count_differences(whole_packets("*"))


def whole_packets(pattern: str) -> list[bytes]:
    """Take all packets from the tarballs whose names match that can be decoded."""
    packets = real_packets(pattern)
    rejects = ColumnarDecoder(Ztf.wanted).decode(pack(packets)).rejects
    return [packet for index, packet in enumerate(packets) if index not in rejects]


def pack(packets: Iterable[bytes]) -> Packets:
    """Put packets into one buffer."""
    packets = list(packets)
    ends = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], dtype=np.int64)
    return Packets(memoryview(b"".join(packets)), starts, ends)


def read_plainly(packet: bytes) -> dict[str, Any]:
    """Read a packet as one does with fastavro."""
    record: Any = next(iter(fastavro.reader(io.BytesIO(packet))))
    return dict(record)


def measure_ways(packets: list[bytes]) -> Figures:
    """Time all ways, in turn; the fastest run of each, in ms a packet."""
    batches = [pack(packets[first : first + BATCH]) for first in range(0, len(packets), BATCH)]
    decoders = {name: open_decoder(Ztf.wanted, name) for name in ("fastavro", "columnar")}
    ways: dict[str, Callable[[], object]] = {
        "reader": lambda: [read_plainly(packet) for packet in packets[: len(packets) // 4]],
        "fastavro": lambda: [decoders["fastavro"].decode(batch) for batch in batches[: max(1, len(batches) // 4)]],
        "columnar": lambda: [decoders["columnar"].decode(batch) for batch in batches],
    }
    counts = {"reader": len(packets) // 4, "columnar": len(packets)}
    counts["fastavro"] = sum(len(batch.starts) for batch in batches[: max(1, len(batches) // 4)])
    fastest = dict.fromkeys(ways, float("inf"))
    for _ in range(REPEATS):
        for name, run in ways.items():
            fastest[name] = min(fastest[name], cpu_seconds(run) / counts[name] * 1e3)
    return {f"{name}_ms": value for name, value in fastest.items()}


def measure_stages(packets: list[bytes]) -> Figures:
    """Time the stages of the compiled decoder over one batch, in ms a packet."""
    batch, decoder = pack(packets[:BATCH]), ColumnarDecoder(Ztf.wanted)
    decoder.decode(batch)
    records = decoder._opener.open_all(batch)
    buffer = np.asarray(memoryview(records.buffer))
    runs = decoder._find_runs(records, {})
    columns, _ = decoder._run_all(buffer, records, runs)
    stages: dict[str, Callable[[], object]] = {
        "find_records": lambda: decoder._opener.open_all(batch),
        "run_programs": lambda: decoder._run_all(buffer, records, runs),
        "make_tables": lambda: (columns.make_tables(buffer), columns.find_blobs()),
    }
    count = len(batch.starts)
    return {f"{name}_ms": min(cpu_seconds(run) for _ in range(30)) / count * 1e3 for name, run in stages.items()}


def cpu_seconds(run: Callable[[], object]) -> float:
    """Run once; seconds of processor time, which others on the machine disturb less than the clock."""
    began = time.process_time()
    run()
    return time.process_time() - began


def measure_start(packet: bytes) -> Figures:
    """Time imports and the first packet in fresh processes, with warm caches; the fastest of a few, in seconds."""
    times = []
    for _ in range(REPEATS):
        done = subprocess.run([sys.executable, "-c", START], cwd=ROOT, input=packet, capture_output=True, check=True)
        times.append([float(value) for value in done.stdout.split()])
    return {"startup_s": min(total for total, _ in times), "first_packet_s": min(first for _, first in times)}


def count_differences(packets: list[bytes]) -> Figures:
    """Compare all cells and stamps of the compiled decoder with the plain loop's."""
    decoded = ColumnarDecoder(Ztf.wanted).decode(pack(packets))
    records = [read_plainly(packet) for packet in packets]
    pairs = list(compare(decoded.packets, records, Ztf.wanted.scalars))
    for name, fields in Ztf.wanted.arrays.items():
        pairs += compare(decoded.arrays[name], [item for record in records for item in record.get(name) or ()], fields)
    for path, offsets in decoded.blobs.items():
        places = zip(offsets.starts.tolist(), offsets.ends.tolist(), strict=True)
        found = [bytes(decoded.buffer[start:end]) if start >= 0 else None for start, end in places]
        pairs += zip(found, [look_up(record, path) for record in records], strict=True)
    return {"cells": len(pairs), "cells_different": sum(one != other for one, other in pairs)}


def compare(table: pa.Table, records: list[dict[str, Any]], fields: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each cell and what it should be."""
    if table.num_rows != len(records):
        sys.exit(f"{table.num_rows} rows were decoded, and there are {len(records)}")
    for path, kind in fields.items():
        expected = [look_up(record, path) for record in records]
        yield from zip(as_bits(table[path].to_pylist(), kind), as_bits(expected, kind), strict=True)


def look_up(record: Any, path: str) -> Any:
    """Return the value at a dotted path, None where a step of it is missing."""
    for step in path.split("."):
        record = record.get(step) if record is not None else None
    return record


def as_bits(values: list[Any], kind: pa.DataType) -> list[Any]:
    """Return values that can be compared: of floats all bits."""
    if not pa.types.is_floating(kind):
        return values
    form = "<f" if kind == pa.float32() else "<d"
    return [None if value is None else struct.pack(form, value) for value in values]


if __name__ == "__main__":
    main()
