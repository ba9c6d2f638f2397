"""The listing of tables and columns: against the server's own, and what it says of names that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alertdb.archive import Archive
from alertdb.table_errors import NoSuchColumn, NoSuchTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config


@pytest.fixture(params=["ztf", "ztf_public"])
def archive(server_config: Config, request: pytest.FixtureRequest) -> Iterator[Archive]:
    with Archive(server_config, request.param) as archive:
        yield archive


def test_all_tables_with_all_columns(archive: Archive) -> None:
    names = archive.sql("SHOW TABLES").iloc[:, 0].tolist()
    assert sorted(table.name for table in archive.tables) == sorted(names)
    for table in archive.tables:
        described = archive.sql(f"DESCRIBE {table.name}")
        described = described[~described["Extra"].str.contains("INVISIBLE")]  # SELECT * leaves them out
        assert [column.name for column in table] == described["Field"].tolist()
        types = described["Type"].str.replace(r"int\(\d+\)", "int", regex=True)  # the width of a display is no news
        assert [column.type for column in table] == types.tolist()
        assert table.about


def test_every_column_has_its_meaning_and_its_unit(archive: Archive) -> None:
    for name in ("alerts", "alerts_limmag", "alerts_prv", "alerts_forced", "lightcurve", "summary"):
        assert all(column.meaning and column.null for column in archive.tables[name]), name
    assert archive.tables.alerts.distnr.unit == "pix"
    assert archive.tables.alerts_forced.distnr.unit == "arcsec"
    assert archive.tables.alerts.candid.unit is None
    assert archive.tables.lightcurve.flux.unit == "DN"
    assert repr(archive.tables.alerts.jd) == "alerts.jd double [d]: Start of the exposure, Julian date, UTC."


@pytest.mark.parametrize(
    ("words", "some", "others"),
    [
        ("magnitude", {"alerts.magpsf", "summary.magmean_g", "alerts.sgmag1"}, {"alerts.candid"}),
        ("MAG", {"alerts.magpsf", "alerts.diffmaglim"}, {"alerts.jd"}),
        ("arcsec gaia", {"alerts.neargaia", "alerts.neargaiabright"}, {"alerts.maggaia", "alerts.distnr"}),
        ("real-bogus", {"alerts.rb", "alerts.drb"}, set()),
        ("ndethist", {"alerts.ndethist", "summary.ndethist_max"}, {"alerts.ncovhist"}),
    ],
)
def test_search_by_name_unit_and_meaning(archive: Archive, words: str, some: set[str], others: set[str]) -> None:
    found = archive.tables.search(words)
    names = {f"{column.table}.{column.name}" for column in found}
    assert some <= names
    assert not others & names
    assert found.frame()["name"].tolist() == [column.name for column in found]
    assert repr(found).startswith(f"{len(found)} columns with '{words}'")


def test_a_search_without_result_says_what_would_help(archive: Archive) -> None:
    assert "names like it: magpsf" in repr(archive.tables.search("magspf"))
    assert "fewer or shorter words" in repr(archive.tables.search("zzzzzzzzzz"))
    assert archive.tables.search("zzzzzzzzzz").frame().empty


def test_names_are_completed(archive: Archive) -> None:
    assert {"alerts", "lightcurve", "search"} <= set(dir(archive.tables))
    assert {"magpsf", "objectId", "frame"} <= set(dir(archive.tables.alerts))
    assert "alerts" in archive.tables._ipython_key_completions_()
    assert "dec" in archive.tables["alerts"]._ipython_key_completions_()


def test_names_that_are_none(archive: Archive) -> None:
    with pytest.raises(NoSuchTable, match=r"no table 'alert' in the archive\. Nearest: alerts"):
        archive.tables["alert"]
    with pytest.raises(AttributeError, match="Nearest: magpsf"):
        _ = archive.tables.alerts.magspf
    with pytest.raises(NoSuchColumn, match=r"no column 'zzzz' in table alerts\. tables\.search"):
        archive.tables["alerts"]["zzzz"]
    assert not hasattr(archive.tables, "_repr_png_")


def test_listings_as_pages(archive: Archive) -> None:
    html = archive.tables.search("difference")._repr_html_()
    assert html.count("<tr>") == len(archive.tables.search("difference")) + 1
    assert "<code>alerts.magpsf</code>" in html
    assert archive.tables._repr_html_().count("<tr>") == len(archive.tables) + 1
    assert "magpsf float [mag]" in repr(archive.tables.alerts)
    assert "alerts (107 columns)" in repr(archive.tables)
