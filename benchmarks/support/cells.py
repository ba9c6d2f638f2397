"""How many cells the two decoders make differently of the same packets; floats are compared bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ingest.decoding import Packets, open_decoder
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from pathlib import Path


def count_cells(tarballs: list[Path]) -> dict[str, float]:
    """Compare the cells that both decoders make of all packets that neither of them refuses."""
    cells = different = 0
    decoders = [open_decoder(Ztf.wanted, name) for name in ("columnar", "fastavro")]
    for source in find_sources(tarballs):
        with open_packets(source) as reader:
            for batch in reader:
                packets = Packets(batch.buffer, batch.starts, batch.ends)
                ours, theirs = (decoder.decode(packets) for decoder in decoders)
                different += ours.rejects.keys() != theirs.rejects.keys()
                pairs = [
                    (ours.packets, theirs.packets),
                    *((ours.arrays[name], theirs.arrays[name]) for name in ours.arrays),
                ]
                for one, other in pairs:
                    cells += one.num_rows * one.num_columns
                    different += sum(count_unequal(one[name], other[name]) for name in one.column_names)
    return {"cells": cells, "cells_different": different}


def count_unequal(one: Any, other: Any) -> int:
    """Return how many cells of two columns differ."""
    if len(one) != len(other) or one.type != other.type:
        return max(len(one), len(other))
    if not pa.types.is_floating(one.type):
        return (
            sum(first != second for first, second in zip(one.to_pylist(), other.to_pylist(), strict=True))
            if one != other
            else 0
        )
    bits = [
        np.asarray(column.fill_null(0.0).to_numpy()).view(f"i{column.type.bit_width // 8}") for column in (one, other)
    ]
    nulls = [column.is_null().to_numpy() for column in (one, other)]
    return int(((bits[0] != bits[1]) | (nulls[0] != nulls[1])).sum())
