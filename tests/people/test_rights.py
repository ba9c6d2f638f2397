"""What a public user sees is what there would be without partnership data, whatever way it is asked for.

A night of both programmes is simulated. First its public tarball alone is loaded and everything that a public user
sees is written down; then the partnership tarball is loaded too, and nothing of it may show.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mariadb
import nbformat
import pandas as pd
import pytest
from archives import empty_tables, load
from example_notebook import write_example
from nbclient import NotebookClient
from plain import read_packets

from alertdb.config import Config
from alertdb.errors import UnknownCandid, UnknownTable
from alertdb.hub.accounts import thumbnails_url
from alertdb.hub.settings import read_settings
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable

    from someone import Someone

PUBLIC, PARTNER = 31, 32
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NIGHTS = [20240110, 20240111]
CHANGING = ("loaded_at", "seconds", "modified")
# Public rows that a partnership packet brought show as well; they are looked at one by one.
SHARED = ("alerts_limmag", "alerts_prv", "alerts_forced", "lightcurve", "summary")


TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'performance_schema', 'alertdb_people')"""


class Seen:
    """All that a person sees."""

    def __init__(self, person: Someone) -> None:
        with person.archive() as archive:
            names = archive.sql(TABLES)
            self.tables: dict[str, pd.DataFrame] = {
                f"{row.table_schema}.{row.table_name}": archive.sql(
                    f"SELECT * FROM {row.table_schema}.{row.table_name}"
                )
                for row in names.itertuples()
            }
            self.quality = {picture.name: picture.table for picture in archive.qa.all()}


class Night:
    """The archive, its two users, and what the public one saw before there were partnership data."""

    def __init__(self, config: Config, public: Someone, partner: Someone, before: Seen, hidden: list[dict[str, Any]]):
        self.config, self.public, self.partner = config, public, partner
        self.before, self.after = before, Seen(public)
        self.hidden = hidden
        self.hidden_candids = {row["candid"] for row in hidden}


@pytest.fixture(scope="module")
def night(server_config: Config, enter: Callable[..., Someone], tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("mixed")
    tarballs = simulate_nights(NIGHTS, 150, folder, seed=3, programs=("public", "partnership"))
    public, hidden = ([path for path in tarballs if word in path.name] for word in ("_public_", "_partnership_"))
    empty_tables(server_config)
    config = Config(server_config.home, thumbnails_url=(folder / "thumbnails").as_uri())
    load(config, *public)
    reader = enter(PUBLIC, thumbnails=shown(config, folder, partnership=False))
    before = Seen(reader)
    load(config, *hidden)
    partner = enter(PARTNER, partnership=True, thumbnails=shown(config, folder, partnership=True))
    rows = [row for tarball in hidden for row in read_packets(tarball)]
    return Night(config, reader, partner, before, rows)


def shown(config: Config, folder: Path, *, partnership: bool) -> str:
    """The thumbnails that the hub tells a user's server of."""
    settings = {"URL": "http://h", "ORGANIZATIONS": "o", "CLIENT_ID": "i", "CLIENT_SECRET": "s",
                "STATE": str(folder / "hub"), "THUMBNAILS": config.thumbnails.removeprefix("file://")}  # fmt: skip
    return thumbnails_url(read_settings({f"ALERTDB_HUB_{k}": v for k, v in settings.items()}), partnership=partnership)


def test_there_is_something_to_hide(night: Night) -> None:
    assert {row["candidate"]["programid"] for row in night.hidden} <= {2, 3}
    seen = Seen(night.partner).tables
    assert night.hidden_candids <= set(seen["ztf.alerts"].candid)
    assert set(seen["ztf.alerts"].programid) > {1}


def test_tables_look_as_if_partnership_data_were_not_there(night: Night) -> None:
    assert set(night.before.tables) == set(night.after.tables)
    assert {name.partition(".")[0] for name in night.after.tables} == {"ztf_public"}
    for name, frame in night.after.tables.items():
        if not name.endswith(SHARED):
            before = night.before.tables[name]
            kept = [column for column in frame if column not in CHANGING]
            pd.testing.assert_frame_equal(frame[kept], before[kept], obj=name)
    assert len(night.after.tables["ztf_public.alerts"]) == 2 * 150


def test_no_table_or_view_names_a_partnership_alert(night: Night) -> None:
    for name, frame in night.after.tables.items():
        if "programid" in frame:
            assert set(frame.programid) <= {1}, name
        for column in frame.select_dtypes("integer"):
            assert not night.hidden_candids & set(frame[column].dropna()), f"{name}.{column}"
        for column in frame.select_dtypes(["object", "string"]):
            assert not frame[column].astype(str).str.contains("partnership").any(), f"{name}.{column}"


def test_pictures_of_quality_count_public_alerts_only(night: Night) -> None:
    assert len(night.after.quality) >= 5
    for name, frame in night.after.quality.items():
        pd.testing.assert_frame_equal(frame, night.before.quality[name], obj=name)


def test_stamps_of_partnership_alerts_are_not_found(night: Night) -> None:
    candids = sorted(night.hidden_candids)
    with night.public.archive() as public, night.partner.archive() as partner:
        for candid in candids[:20]:
            assert partner.thumbnail(candid)
            with pytest.raises(UnknownCandid):
                public.thumbnail(candid)
        own = next(iter(night.after.tables["ztf_public.alerts"].candid))
        assert public.thumbnail(own)


def test_partnership_names_lead_nowhere(night: Night) -> None:
    with night.public.archive() as archive, pytest.raises(UnknownTable):
        archive.sql("SELECT COUNT(*) FROM ztf.alerts")
    with night.public.connect() as connection:
        cursor = connection.cursor()
        for statement in ("USE ztf", "SHOW TABLES IN ztf", "DESCRIBE ztf.alerts", "HANDLER ztf.alerts OPEN",
                          "CHECK TABLE ztf.alerts", "CHECKSUM TABLE ztf.alerts",
                          f"CREATE VIEW {night.public.scratch}.v AS SELECT * FROM ztf.alerts"):  # fmt: skip
            with pytest.raises(mariadb.Error, match="denied"):
                cursor.execute(statement)


def test_one_notebook_shows_two_people_different_counts(night: Night, tmp_path: Path) -> None:
    write_example(tmp_path)
    (example,) = tmp_path.glob("*.ipynb")
    shown = [outputs(run_notebook(example, person, tmp_path)) for person in (night.public, night.partner)]
    counts = [int(str(first["data"]["text/plain"]).split()[3]) for first, *_ in shown]
    everything, partnership = 2 * 150, len(night.hidden_candids)
    assert counts == [everything, everything + partnership]


@pytest.mark.parametrize("name", ["01_first_steps", "03_thumbnails", "06_your_own_table", "08_raw_drivers"])
def test_numbered_notebooks_run_for_the_public(night: Night, name: str, tmp_path: Path) -> None:
    """Those that name tables, accounts or thumbnails; what the others need is asked by the same methods."""
    shown = outputs(run_notebook(NOTEBOOKS / f"{name}.ipynb", night.public, tmp_path))
    assert [out for out in shown if out.output_type == "stream" and out.name == "stderr"] == []
    assert not any(str(candid) in str(out) for candid in night.hidden_candids for out in shown)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["status"], 0, "2 loaded, 0 of them partial"),
        (["nights"], 0, "ztf_public_20240111"),
        (["rejects"], 0, "0 rows"),
        (["people", "list"], 1, "does not let this account do that: SELECT command denied"),
        (["init"], 1, "does not let this account do that: Access denied"),
        (["watchdog"], 1, "refused the account 'gh31': SELECT command denied"),
        (["summary", "rebuild"], 1, "refused the account 'gh31': Access denied"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_commands_in_a_public_users_shell(
    night: Night, tmp_path: Path, command: list[str], code: int, words: str
) -> None:
    environment = {
        "ALERTDB_HOME": str(tmp_path),
        "ALERTDB_DATABASE_URL": str(night.public.config.database_url),
        "ALERTDB_THUMBNAILS_URL": night.public.config.thumbnails,
    }
    program = [sys.executable, "-m", "alertdb.cli.main", *command]
    done = subprocess.run(program, env=os.environ | environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, words in done.stdout + done.stderr) == (code, True), done
    assert "partnership" not in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == (code != 0)


def run_notebook(path: Path, person: Someone, folder: Path) -> Any:
    """Run a notebook as a person's server would."""
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    environment = os.environ | {
        "ALERTDB_HOME": str(person.config.home),
        "ALERTDB_DATABASE_URL": str(person.config.database_url),
        "ALERTDB_THUMBNAILS_URL": person.config.thumbnails,
    }
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute(env=environment)
    assert person.password not in nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]


def test_people_do_not_see_each_other(night: Night) -> None:
    one, other = night.public, night.partner
    with one.connect() as mine, other.connect() as theirs:
        cursor = theirs.cursor()
        cursor.execute(f"CREATE OR REPLACE TABLE {other.scratch}.secret AS SELECT 'canary' AS word")
        look = mine.cursor()
        look.execute("SELECT DISTINCT user FROM information_schema.processlist")
        assert look.fetchall() == [(one.account,)]
        look.execute("SELECT table_schema FROM information_schema.tables WHERE table_name = 'secret'")
        assert look.fetchall() == []
        look.execute("SHOW DATABASES")
        assert {row[0] for row in look.fetchall()} == {
            *("information_schema", "alertdb_people", "ztf_public", one.scratch),
        }
        for statement in (f"SELECT * FROM {other.scratch}.secret", f"USE {other.scratch}",
                          f"DROP DATABASE {other.scratch}", f"SHOW GRANTS FOR {other.account}",
                          f"SET PASSWORD FOR {other.account} = ''"):  # fmt: skip
            with pytest.raises(mariadb.Error, match="denied"):
                look.execute(statement)
        with pytest.raises(mariadb.Error, match="not owner|denied"):
            look.execute(f"KILL {theirs.connection_id}")
        look.execute("SELECT COUNT(*) FROM alertdb_people.my_account")
        assert look.fetchall() == [(1,)]
