"""Merging rows that packets tell again and again: of each key the row of the largest packet stays, in any order."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from alertdb.database import Account, connect
from ingest.checksum import checksum
from ingest.shared_tables import Change, merge_stage
from ingest.stage import HASH, Stage
from ingest.stored import read_frame
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config

TABLE = Ztf.limits
SCHEMA: Any = {"objectId": pl.String, "jd": pl.Float64, "fid": pl.Int32, "diffmaglim": pl.Float32, "nid": pl.Int32}
NUMBERS = [name for name in TABLE.columns if name not in (*SCHEMA, "packet_candid")]


def told(dice: random.Random, packets: list[int]) -> pl.DataFrame:
    """Return what some packets tell of a few keys; now and then one has another value, or none, for the same key."""
    rows = [
        {
            "objectId": f"ZTF18{dice.choice('abc')}",
            "jd": 2458000.5 + dice.randrange(4),
            "fid": dice.choice([1, 2]),
            "diffmaglim": dice.choice([20.1, 20.1, 20.1, 19.7]),
            "nid": dice.choice([583, 583, None]),
            "packet_candid": packet,
        }
        for packet in packets
        for _ in range(12)
    ]
    frame = pl.DataFrame(rows, schema={**SCHEMA, "packet_candid": pl.Int64})
    frame = frame.unique([*TABLE.key, "packet_candid"], keep="first", maintain_order=True)  # a packet tells a key once
    return frame.with_columns(pl.lit(None, pl.Int32).alias(name) for name in NUMBERS).select(TABLE.columns)


def largest(frames: list[pl.DataFrame]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return, by key, the row of the largest packet, by a plain loop."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in itertools.chain.from_iterable(frame.iter_rows(named=True) for frame in frames):
        key = tuple(row[name] for name in TABLE.key)
        if key not in kept or kept[key]["packet_candid"] < row["packet_candid"]:
            kept[key] = row
    return kept


def merge(connection: Connection, batches: list[pl.DataFrame], folder: Path) -> tuple[Change, tuple[int, int]]:
    """Merge one tarball's batches."""
    stage = Stage(TABLE, folder)
    for batch in batches:
        stage.add(batch)
    return merge_stage(connection, TABLE, stage), stage.count()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_largest_packet_wins_in_any_order(archive: Config, tmp_path: Path, order: tuple[int, ...]) -> None:
    dice = random.Random(4)
    packets = dice.sample(range(10**18, 10**18 + 1000), 30)
    tarballs = [
        [told(dice, packets[start : start + 5]), told(dice, packets[start + 5 : start + 10])] for start in (0, 10, 20)
    ]
    expected = largest([batch for batches in tarballs for batch in batches])
    change = Change()
    with connect(archive, Account.LOADER, Ztf.name) as connection:
        for number in order:
            change += merge(connection, tarballs[number], tmp_path)[0]
        stored = read_frame(connection, f"SELECT {', '.join(TABLE.columns)}, {HASH} FROM {TABLE.name}")
    rows = stored.drop(HASH).select(TABLE.columns)
    assert {tuple(row[name] for name in TABLE.key): row for row in rows.iter_rows(named=True)} == expected
    assert change == Change(len(expected), checksum(rows))
    assert sum(stored[HASH].to_list()) % 2**64 == change.checksum


def test_each_different_row_counts_once(archive: Config, tmp_path: Path) -> None:
    batches = [told(random.Random(seed), [100 + seed, 200 + seed]) for seed in range(4)]
    rows = pl.concat(batches)
    different = rows.group_by([name for name in TABLE.columns if name != "packet_candid"]).agg(
        pl.col("packet_candid").max()
    )
    with connect(archive, Account.LOADER, Ztf.name) as connection:
        _, counted = merge(connection, batches, tmp_path)
    assert counted == (different.height, checksum(different.select(TABLE.columns)))


def test_rows_are_counted_when_all_were_taken_and_not_before(tmp_path: Path) -> None:
    stage = Stage(TABLE, tmp_path)
    assert stage.count() == (0, 0)
    batches = [told(random.Random(seed), [100 + seed]) for seed in range(3)]
    for batch in batches:
        stage.add(batch)
    rows = stage.rows()
    taken = 0
    for _ in batches:
        with pytest.raises(RuntimeError, match=f"of {taken} of .* rows: take all `rows` first"):
            stage.count()
        taken += next(rows).height
    assert stage.count()[0] == taken
    assert list(rows) == []
    stage.add(told(random.Random(7), [107]))  # nobody will take these
    with pytest.raises(RuntimeError, match=f"of {taken} of"):
        stage.count()
