"""Reading ahead: pages are read before a merge comes to them, and nothing else becomes different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from archives import everything, load
from plain import differences, expected_tables
from sqlalchemy import text

from alertdb.database import Account, connect
from ingest.reading_ahead import FRAMES, ReadAhead
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.config import Config


@pytest.fixture
def larger_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a load take the tables for larger than the server's memory."""
    monkeypatch.setattr("ingest.reading_ahead.LARGER_THAN_MEMORY", text("SELECT :survey IS NOT NULL"))


def frames(count: int) -> list[pl.DataFrame]:
    return [pl.DataFrame({"objectId": [f"ZTF18aaaaa{number:02}", f"ZTF19aaaaa{number:02}"]}) for number in range(count)]


def keys_read(config: Config) -> int:
    with connect(config, Account.ADMIN) as connection:
        return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Handler_read_key'").one().Value)


@pytest.mark.usefixtures("larger_than_memory")
def test_places_are_read_before_their_frame_comes(archive: Config) -> None:
    query = "SELECT COUNT(*) FROM alerts_limmag FORCE INDEX (PRIMARY) WHERE objectId IN ({})"
    with connect(archive, Account.LOADER) as connection, ReadAhead(archive, "ztf", connection) as ahead:
        before = keys_read(archive)
        coming = ahead.before(frames(5), lambda _: [query])
        first = next(coming)
        assert keys_read(archive) - before >= 2  # objects of the frame, at least: those behind it may have come, too
        assert [first, *coming][-1]["objectId"].to_list() == ["ZTF18aaaaa04", "ZTF19aaaaa04"]
        assert keys_read(archive) - before >= 5 * 2


@pytest.mark.usefixtures("larger_than_memory")
def test_not_all_frames_are_taken_at_once(archive: Config) -> None:
    taken = 0

    def counted() -> Iterator[pl.DataFrame]:
        nonlocal taken
        for frame in frames(10):
            taken += 1
            yield frame

    with connect(archive, Account.LOADER) as connection, ReadAhead(archive, "ztf", connection) as ahead:
        next(ahead.before(counted(), lambda _: []))
        assert taken == FRAMES + 1


@pytest.mark.usefixtures("larger_than_memory")
def test_what_fails_ahead_stops_nobody(archive: Config) -> None:
    with connect(archive, Account.LOADER) as connection, ReadAhead(archive, "ztf", connection) as ahead:
        names = [frame["objectId"][0] for frame in ahead.before(frames(4), lambda _: ["SELECT nothing OF {}"])]
    assert names == [f"ZTF18aaaaa{number:02}" for number in range(4)]


def test_a_server_with_room_for_all_reads_nothing_ahead(archive: Config) -> None:
    with connect(archive, Account.LOADER) as connection, ReadAhead(archive, "ztf", connection) as ahead:
        assert len(list(ahead.before(frames(3), lambda _: pytest.fail("asked what to read")))) == 3


@pytest.mark.usefixtures("larger_than_memory")
def test_every_cell_of_nights_read_ahead(archive: Config, tmp_path: Path) -> None:
    nights = simulate_nights([20240101, 20240102], 100, tmp_path / "nights", seed=5, schema="4.02")
    load(archive, *nights)
    assert differences(expected_tables(nights), archive) == []
    assert everything(archive)["summary"]
