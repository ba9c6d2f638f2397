"""Quality pictures against plain loops over the packets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import astropy.units as u
import cdshealpix
import numpy as np
import pytest
from archives import empty_tables, load
from astropy.coordinates import Latitude, Longitude
from hostile import make_tarball, members_of
from plain import expected_tables

from alertdb.archive import Archive
from alertdb.database import Account, connect
from alertdb.picture_errors import UnknownChoice
from alertdb.qa import NAMES, Quality
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from matplotlib.figure import Figure
    from plain import Row, Tables

    from alertdb.config import Config

NIGHTS = [20240101, 20240103]
DATABASES = ("ztf", "ztf_public")


@pytest.fixture(scope="module")
def tarballs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two nights of two programmes; a packet of the first that is public holds rubbish."""
    folder = tmp_path_factory.mktemp("nights")
    made = simulate_nights(NIGHTS, 60, folder, seed=4, programs=("public", "partnership"))
    first = next(path for path in made if path.name == "ztf_public_20240101.tar.gz")
    make_tarball(first, [*members_of(first), ("1.avro", b"rubbish 1"), ("2.avro", b"rubbish 22")])
    return made


@pytest.fixture(scope="module")
def config(server_config: Config, tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:

    empty_tables(server_config)
    config = replace(server_config, thumbnails_url=tmp_path_factory.mktemp("thumbnails").as_uri())
    load(config, *tarballs)
    return config


@pytest.fixture(scope="module")
def expected(tarballs: list[Path]) -> Tables:
    return expected_tables(tarballs)


@pytest.fixture(params=DATABASES)
def archive(config: Config, request: pytest.FixtureRequest) -> Iterator[Archive]:
    with Archive(config, request.param) as archive:
        yield archive


def alerts_of(archive: Archive, expected: Tables) -> list[Row]:
    rows = list(expected["alerts"].values())
    return [row for row in rows if row["programid"] == 1] if archive.reader.database == "ztf_public" else rows


def counted(table: Any, *columns: str, number: str = "alerts") -> dict[Any, int]:
    """The counts of a table by what they count, bins as whole numbers of thousandths."""
    keys = [tuple(round(float(cell) * 1000) for cell in row) for row in table[list(columns)].to_numpy()]
    return dict(zip(keys, table[number].tolist(), strict=True))


def lower(value: float, width: float) -> int:
    """Lower edge of the bin of a value, in thousandths; a value less than a ten-thousandth below an edge is on it."""
    return round(float(np.floor(value / width + 1e-4) * width) * 1000)


def test_the_archive_has_what_the_pictures_are_to_show(expected: Tables) -> None:
    alerts = expected["alerts"].values()
    assert {row["programid"] for row in alerts} == {1, 2, 3}
    assert {row["fid"] for row in alerts} == {1, 2, 3}
    assert any(row["ssnamenr"] for row in alerts)


def test_alerts_per_night(archive: Archive, expected: Tables) -> None:
    found = archive.qa.nights()
    rows = Counter((row["nid"], row["fid"], row["programid"]) for row in alerts_of(archive, expected))
    table = found.table
    assert (
        dict(zip(zip(table["nid"], table["fid"], table["programid"], strict=True), table["alerts"], strict=True))
        == rows
    )
    assert sorted(set(table["night"])) == NIGHTS
    assert len(found.figure.axes) == len({row["programid"] for row in alerts_of(archive, expected)})


def test_limiting_magnitudes(archive: Archive, expected: Tables) -> None:
    table = archive.qa.limits().table
    rows = alerts_of(archive, expected)
    assert len(table) == len({(row["nid"], row["fid"]) for row in rows})
    for line in table.itertuples():
        limits = [row["diffmaglim"] for row in rows if (row["nid"], row["fid"]) == (line.nid, line.fid)]
        exact = np.quantile(limits, [0.1, 0.5, 0.9], method="inverted_cdf")
        assert line.alerts == len(limits)
        assert [line.p10, line.median, line.p90] == pytest.approx(exact.tolist(), abs=0.0251)


def test_scores(archive: Archive, expected: Tables) -> None:
    table = archive.qa.scores().table
    for score in ("rb", "drb"):
        rows = [row[score] for row in alerts_of(archive, expected) if row[score] is not None]
        assert counted(table[table["score"] == score], "low") == Counter((min(lower(x, 0.02), 980),) for x in rows)


@pytest.mark.parametrize("order", [5, 3])
def test_the_sky(archive: Archive, expected: Tables, order: int) -> None:
    rows = alerts_of(archive, expected)
    for found, chosen in (
        (archive.qa.sky(order), rows),
        (archive.qa.asteroids(order), [row for row in rows if row["ssnamenr"] is not None]),
    ):
        ra, dec = ([row[name] for row in chosen] for name in ("ra", "dec"))
        pixels = cdshealpix.nested.lonlat_to_healpix(Longitude(ra * u.deg), Latitude(dec * u.deg), order)
        assert dict(zip(found.table["pixel"], found.table["alerts"], strict=True)) == Counter(pixels.tolist())


def test_magnitude_and_error(archive: Archive, expected: Tables) -> None:
    table = archive.qa.magnitude_error().table
    rows = alerts_of(archive, expected)
    places = Counter((row["fid"] * 1000, lower(row["magpsf"], 0.1), lower(row["sigmapsf"], 0.005)) for row in rows)
    assert counted(table, "fid", "magpsf", "sigmapsf") == places


def test_objects_by_magnitude_and_observations(archive: Archive, expected: Tables) -> None:
    summary = archive.sql("SELECT * FROM summary")  # its own test compares it with the packets
    if archive.reader.database == "ztf":
        assert len(summary) == len(expected["summary"])
    places: Counter[Any] = Counter()
    for fid, band in ((1, "g"), (2, "r"), (3, "i")):
        known = summary.dropna(subset=[f"magmean_{band}", "rb_mean"])
        places.update(
            (fid * 1000, lower(magnitude, 0.2), lower(rb, 0.02))
            for magnitude, rb in zip(known[f"magmean_{band}"], known["rb_mean"], strict=True)
        )
    assert counted(archive.qa.rb_magnitude().table, "fid", "magnitude", "rb", number="objects") == places
    seen = zip(summary["nobs"].tolist(), summary["rb_mean"].tolist(), strict=True)
    observed = Counter((nobs * 1000, lower(rb, 0.02)) for nobs, rb in seen)
    assert counted(archive.qa.rb_observations().table, "nobs", "rb", number="objects") == observed


def test_rejects_are_counted_by_reason_whatever_numbers_they_tell(archive: Archive) -> None:
    found = archive.qa.rejects()
    assert found.table[["night", "rejects"]].to_numpy().tolist() == [[20240101, 2]]
    texts = [text.get_text() for text in found.figure.axes[0].texts]
    assert any(found.table["reason"].iloc[0][:30] in text for text in texts)


def labels(figure: Figure) -> list[str]:
    return [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_title_axes_and_a_rich_form(archive: Archive, name: str) -> None:
    found = getattr(archive.qa, name)()
    assert found.name == name
    assert found.title in found.figure.get_suptitle()
    assert archive.reader.database in " ".join(text.get_text() for text in found.figure.texts)
    assert labels(found.figure)
    html = found._repr_html_()
    assert '<img src="data:image/png;base64,iVBOR' in html
    assert f"{found.table.columns[-1]}</th>" in html
    assert found.title in repr(found)


def test_orders_that_are_none(archive: Archive) -> None:
    orders: list[Any] = [-1, 10, 2.5, "5"]
    for order in orders:
        with pytest.raises(UnknownChoice, match="HEALPix order"):
            archive.qa.sky(order)


@pytest.mark.parametrize("name", NAMES)
def test_no_picture_reads_the_wide_rows(archive: Archive, name: str) -> None:
    """Each statement on alerts is answered from a key alone; no table is sent as a whole."""
    asked: list[str] = []
    query: Callable[..., Any] = archive.reader.query

    class Spy:
        database = archive.reader.database

        def query(self, statement: str) -> Any:
            asked.append(statement)
            return query(statement)

    getattr(Quality(Spy()), name)()  # type: ignore[arg-type]
    assert asked
    for statement in asked:
        assert "GROUP BY" in statement or "COUNT(DISTINCT" in statement
        for line in query(f"EXPLAIN {statement}").to_pylist():
            if line["table"] == "alerts":
                assert line["key"] != "PRIMARY"
                assert "Using index" in line["Extra"]


INSANE = "magpsf = -1007, sigmapsf = 1e20, diffmaglim = -1007, rb = -5, drb = 7, fid = 9"


def test_values_that_cannot_be_are_left_out_and_said(config: Config, expected: Tables) -> None:
    """A night with a packet of nonsense has its pictures all the same, and they say what they do not show."""
    candid = min(row["candid"] for row in expected["alerts"].values() if row["programid"] == 1)
    row = expected["alerts"][candid]
    before = ", ".join(f"{name} = {row[name]!r}" for name in ("magpsf", "sigmapsf", "diffmaglim", "rb", "drb", "fid"))
    with connect(config, Account.LOADER) as connection, Archive(config) as archive:
        total = len(expected["alerts"])
        try:
            connection.exec_driver_sql(f"UPDATE alerts SET {INSANE} WHERE candid = {candid}")
            connection.commit()
            for name in ("limits", "magnitude_error"):
                found = getattr(archive.qa, name)()
                assert "; 1 outside mag" in " ".join(text.get_text() for text in found.figure.texts)
                assert found.table["alerts"].sum() == total - 1
            assert archive.qa.nights().table["alerts"].sum() == total
            scores = archive.qa.scores().table
            assert scores.groupby("score")["alerts"].sum().to_dict() == {"rb": total, "drb": total}
            assert scores["low"].between(0, 0.98).all()
        finally:
            connection.exec_driver_sql(f"UPDATE alerts SET {before} WHERE candid = {candid}")
            connection.commit()
