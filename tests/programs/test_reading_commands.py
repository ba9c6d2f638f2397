"""The reading commands as users call them: what they print, what they write, how they end."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from loaded import load_tarballs
from matplotlib.image import imread
from plain import expected_tables, read_packets
from pyarrow import parquet

from alertdb.database import Account, connect

if TYPE_CHECKING:
    from pathlib import Path

    from plain import Tables

    from alertdb.config import Config

SUPERNOVA = "ZTF21abiuvdk"
PROGRAM = (sys.executable, "-m", "alertdb.cli.main")


@pytest.fixture(scope="module")
def config(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Config:
    return load_tarballs(server_config, tmp_path_factory.mktemp("thumbnails"), real_tarballs)


@pytest.fixture(scope="module")
def expected(real_tarballs: list[Path]) -> Tables:
    return expected_tables(real_tarballs)


def environment(config: Config | None) -> dict[str, str]:
    """The environment of a user of this archive."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALERTDB_")}
    if config is not None:
        kept |= {"ALERTDB_HOME": str(config.home), "ALERTDB_THUMBNAILS_URL": config.thumbnails}
    return kept


def call(config: Config | None, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, env=environment(config), check=False, timeout=60)


def output_of(config: Config, *arguments: str) -> str:
    done = call(config, *arguments)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    return done.stdout.decode()


def records(config: Config, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(output_of(config, *arguments, "--format", "json"))
    assert isinstance(found, list)
    return found


def assert_one_line(done: subprocess.CompletedProcess[bytes], code: int, *told: str) -> None:
    """A failure is one line on standard error that holds these words, and nothing on standard output."""
    line = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b"")
    assert line.count("\n") == 1
    for words in told:
        assert words in line


def test_sql_json_is_exact(config: Config, expected: Tables) -> None:
    found = records(config, "sql", "SELECT candid, objectidps1, magpsf, jd, ssnamenr, nid FROM alerts ORDER BY candid")
    alerts = [expected["alerts"][candid] for candid in sorted(expected["alerts"])]
    assert found == [{name: alert[name] for name in found[0]} for alert in alerts]
    (total,) = records(config, "sql", "SELECT SUM(candid) AS total, COUNT(*) AS n FROM alerts")
    assert total == {"total": sum(expected["alerts"]), "n": 139}
    assert records(config, "sql", "SELECT candid FROM alerts WHERE FALSE") == []


def test_sql_csv_is_exact(config: Config, expected: Tables) -> None:
    statement = "SELECT candid, magpsf, jd, ssnamenr FROM alerts ORDER BY candid"
    rows = list(csv.DictReader(StringIO(output_of(config, "sql", statement, "--format", "csv"))))
    for row, candid in zip(rows, sorted(expected["alerts"]), strict=True):
        alert = expected["alerts"][candid]
        assert (int(row["candid"]), float(row["magpsf"]), float(row["jd"])) == (candid, alert["magpsf"], alert["jd"])
        assert row["ssnamenr"] == (alert["ssnamenr"] or "")


def test_sql_parquet_keeps_types(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    done = call(config, "sql", "SELECT candid, magpsf FROM alerts", "--output", str(file))
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"139 rows written to {file}\n"
    table = parquet.read_table(file)
    assert [str(kind) for kind in table.schema.types] == ["int64", "float"]
    piped = call(config, "sql", "SELECT candid, magpsf FROM alerts", "--format", "parquet")
    assert parquet.read_table(BytesIO(piped.stdout)).equals(table)


def test_sql_table_is_whole_where_nobody_looks(config: Config) -> None:
    lines = call(config, "sql", "SELECT * FROM alerts").stdout.decode().splitlines()
    assert len(lines) == 139 + 3
    assert lines[-1] == "139 rows"
    assert "…" not in "".join(lines)


def test_sql_from_a_file(config: Config, tmp_path: Path) -> None:
    (tmp_path / "count.sql").write_text("-- how many\nSELECT COUNT(*) AS n\nFROM alerts;\n")
    assert records(config, "sql", f"@{tmp_path / 'count.sql'}") == [{"n": 139}]
    assert_one_line(call(config, "sql", f"@{tmp_path / 'no.sql'}"), 1, "no.sql: No such file or directory")
    (tmp_path / "count.sql").write_bytes(b"\xef\xbb\xbfSELECT 1 AS n")
    assert records(config, "sql", f"@{tmp_path / 'count.sql'}") == [{"n": 1}]
    assert_one_line(call(config, "sql", str(tmp_path / "count.sql")), 2, f"did you mean @{tmp_path / 'count.sql'}?")


def test_sql_from_standard_input(config: Config) -> None:
    command = [*PROGRAM, "sql", "@-", "--format", "csv"]
    done = subprocess.run(
        command, input=b"SELECT 2 AS n", capture_output=True, env=environment(config), check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b"n\n2\n")


def test_a_file_of_no_known_format_is_refused(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "rows.txt"
    assert_one_line(call(config, "sql", "SELECT 1", "--output", str(file)), 2, ".csv, .json, .parquet", str(file))
    assert not file.exists()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT magspf FROM alerts", "Nearest: magpsf"),
        ("SELECT dec FROM alerts", "`dec`"),
        ("DELETE FROM alerts", "Only reading statements"),
    ],
)
def test_bad_sql_is_one_line(config: Config, statement: str, told: str) -> None:
    assert_one_line(call(config, "sql", statement), 1, "Error: ", told)


def test_object(config: Config, expected: Tables) -> None:
    (found,) = records(config, "object", SUPERNOVA)
    assert (found["nobs"], found["candid_last"]) == (34, expected["summary"][SUPERNOVA]["candid_last"])
    assert f"objectId         {SUPERNOVA}\n" in output_of(config, "object", SUPERNOVA)
    assert_one_line(call(config, "object", "ztf21abiuvdk"), 1, f"Nearest known: {SUPERNOVA}")


def test_lightcurve(config: Config, expected: Tables) -> None:
    alerts = sorted(candid for candid, row in expected["alerts"].items() if row["objectId"] == SUPERNOVA)
    found = records(config, "lightcurve", SUPERNOVA, "--no-limits")
    assert sorted(row["candid"] for row in found) == alerts
    assert {row["kind"] for row in records(config, "lightcurve", SUPERNOVA)} == {"alert", "limit"}
    assert_one_line(call(config, "lightcurve", SUPERNOVA, "ZTF21abiuvdx"), 1, "'ZTF21abiuvdx'", SUPERNOVA)


def test_lightcurve_as_a_picture(config: Config, tmp_path: Path) -> None:
    picture, drawing = tmp_path / "lc.png", tmp_path / "lc.pdf"
    done = call(config, "lightcurve", SUPERNOVA, "--plot", str(picture))
    assert (done.returncode, done.stdout, done.stderr.decode()) == (0, b"", f"50 epochs drawn into {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    both = call(config, "lightcurve", SUPERNOVA, "--plot", str(drawing), "--format", "csv")
    assert len(both.stdout.splitlines()) == 51
    assert drawing.read_bytes().startswith(b"%PDF")
    assert_one_line(call(config, "lightcurve", SUPERNOVA, "--plot", "lc.doc"), 2, ".png", "lc.doc")


@pytest.mark.parametrize(
    "place",
    [("0.81429", "16.1457"), ("0:03:15.43", "16:08:44.5"), ("0:03:15.43", "+16:08:44.5"), ("0h3m15.43s", "16d8m44.5s")],
)
def test_cone(config: Config, expected: Tables, place: tuple[str, str]) -> None:
    alerts = sorted(candid for candid, row in expected["alerts"].items() if row["objectId"] == SUPERNOVA)
    found = records(config, "cone", *place, "3")
    assert sorted(row["candid"] for row in found) == alerts
    assert all(0 < row["distance_arcsec"] < 1 for row in found)


def test_a_negative_declination_is_no_option(config: Config, expected: Tables) -> None:
    candid, row = min(expected["alerts"].items(), key=lambda item: item[1]["dec"])
    assert row["dec"] < 0
    (found, *_) = records(config, "cone", str(row["ra"]), str(row["dec"]), "1")
    assert (found["candid"], found["distance_arcsec"]) == (candid, 0.0)
    none = call(config, "cone", "10", "-20:11:02", "1", "--format", "json")
    assert (none.returncode, none.stdout) == (0, b"[]\n")
    assert none.stderr.decode().startswith("No alert lies within 1 arcsec of 10 -20:11:02;")


@pytest.mark.parametrize(
    "arguments",
    [
        ("cone", "10", "-91", "5"),
        ("cone", "400", "1", "5"),
        ("cone", "10", "x", "5"),
        ("cone", "10", "20", "0"),
    ],
)
def test_places_that_are_none(config: Config, arguments: tuple[str, ...]) -> None:
    assert_one_line(call(config, *arguments), 2, "expected")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sql",),
        ("sql", "SELECT 1", "--format", "xml"),
        ("cone", "1", "2"),
        ("cone", "1", "-2", "3", "--no"),
        ("nonsense",),
    ],
)
def test_wrong_usage_ends_with_2(config: Config, arguments: tuple[str, ...]) -> None:
    done = call(config, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Usage: alertdb" in done.stderr


def test_no_archive_and_traceback_only_on_demand(tmp_path: Path) -> None:
    quiet = call(None, "--home", str(tmp_path), "sql", "SELECT 1")
    assert_one_line(quiet, 1, str(tmp_path), "alertdb init")
    for arguments in (
        ("--debug", "--home", str(tmp_path), "sql", "SELECT 1"),
        ("sql", "SELECT 1", "--debug", f"--home={tmp_path}"),
    ):
        told = call(None, *arguments)
        assert told.returncode == 1
        assert b"Traceback" in told.stderr
        assert told.stderr.endswith(quiet.stderr)


def test_help_and_version() -> None:
    for arguments in (["--help"], ["sql", "--help"], ["lightcurve", "-h"]):
        done = call(None, *arguments)
        assert done.returncode == 0
        assert b"Example" in done.stdout
    assert call(None, "--version").stdout.startswith(b"alertdb ")


def test_a_reader_that_goes_away_is_no_error(config: Config) -> None:
    for form in ("csv", "json", "table"):
        command = [
            *PROGRAM,
            "sql",
            "SELECT * FROM alerts a, (SELECT 1 UNION SELECT 2 UNION SELECT 3) b",
            "--format",
            form,
        ]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(config)
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(30) == 0


def test_interrupt_ends_the_query(config: Config) -> None:
    statement = "SELECT 'interrupt me', SLEEP(30)"
    process = subprocess.Popen([*PROGRAM, "sql", statement], stderr=subprocess.PIPE, env=environment(config))
    with connect(config, Account.ADMIN) as connection:
        running = (
            "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(30)%' AND command <> 'Query'"
        )
        while not connection.exec_driver_sql(running).scalar() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        assert (process.returncode, error) == (130, b"Interrupted.\n")
        assert connection.exec_driver_sql(running).scalar() == 0


def packets_of(tarballs: list[Path], name: str) -> dict[int, Any]:
    """The packets of an object's alerts by candid, read with tarfile and fastavro."""
    return {
        packet["candid"]: packet for path in tarballs for packet in read_packets(path) if packet["objectId"] == name
    }


def test_thumbnails_as_fits_are_the_bytes_of_the_packets(
    config: Config, real_tarballs: list[Path], tmp_path: Path
) -> None:
    packets = packets_of(real_tarballs, SUPERNOVA)
    done = call(config, "thumbnails", "--object", SUPERNOVA, "--format", "fits", "--output", str(tmp_path / "a"))
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"102 files written to {tmp_path / 'a'}\n"
    expected = {
        f"{candid}_{kind.lower()}.fits.gz": packet[f"cutout{kind}"]["stampData"]
        for candid, packet in packets.items()
        for kind in ("Science", "Template", "Difference")
    }
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == expected


def test_thumbnails_of_some_candids_and_one_stamp(config: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    first, second, *_ = packets_of(real_tarballs, SUPERNOVA)
    arguments = ["thumbnails", str(second), str(first), "--stamp", "difference", "--output", str(tmp_path)]
    assert call(config, *arguments).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{first}_difference.png", f"{second}_difference.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_a_png_has_row_0_at_the_bottom(config: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    candid, packet = next(iter(packets_of(real_tarballs, SUPERNOVA).items()))
    call(config, "thumbnails", str(candid), "--stamp", "science", "--output", str(tmp_path))
    stamp = gzip.decompress(packet["cutoutScience"]["stampData"])
    image = np.frombuffer(stamp[-((63 * 63 * 4 + 2879) // 2880) * 2880 :][: 63 * 63 * 4], ">f4").reshape(63, 63)
    picture = imread(tmp_path / f"{candid}_science.png")
    grey = picture[..., 0].reshape(63, picture.shape[0] // 63, 63, -1).mean(axis=(1, 3))
    assert np.corrcoef(image.ravel(), grey[::-1].ravel())[0, 1] > 0.9
    assert np.corrcoef(image.ravel(), grey.ravel())[0, 1] < 0.9


def test_a_sheet_alone(config: Config, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = call(config, "thumbnails", "--object", SUPERNOVA, "--sheet", str(sheet))
    assert (done.returncode, done.stderr.decode()) == (0, f"cutouts of 34 alerts drawn into {sheet}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    assert imread(sheet).shape[0] > 500
    assert_one_line(
        call(config, "thumbnails", "--object", SUPERNOVA, "--sheet", str(sheet), "-f", "png"), 2, "--output"
    )


def test_thumbnails_that_are_not_there(config: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    candid = next(iter(packets_of(real_tarballs, SUPERNOVA)))
    done = call(config, "thumbnails", "7", str(candid), "--stamp", "science", "--output", str(tmp_path))
    assert done.returncode == 1
    written, told = done.stderr.decode().splitlines()
    assert written == f"1 file written to {tmp_path}"
    assert "thumbnail of candid 7 " in told
    assert (tmp_path / f"{candid}_science.png").exists()
    assert_one_line(call(config, "thumbnails", "--object", "ztf21abiuvdk"), 1, SUPERNOVA)
    assert_one_line(call(config, "thumbnails", "7", "--output", str(tmp_path)), 1, "candid 7 ")
    for arguments in ([], [str(candid), "--object", SUPERNOVA]):
        assert_one_line(call(config, "thumbnails", *arguments), 2, "--object OBJECTID")


def test_an_animation(config: Config, tmp_path: Path) -> None:
    file = tmp_path / "x.gif"
    done = call(config, "thumbnails", "--object", SUPERNOVA, "--gif", str(file))
    assert (done.returncode, done.stderr.decode()) == (0, f"cutouts of 34 alerts drawn into {file}\n")
    assert file.read_bytes().startswith(b"GIF89a")
    assert_one_line(call(config, "thumbnails", "--object", SUPERNOVA, "--gif", "x.mp4"), 2, "ends in .gif")


@pytest.mark.parametrize("quantity", ["apparent", "flux"])
def test_light_curves_in_other_quantities(config: Config, tmp_path: Path, quantity: str) -> None:
    done = call(config, "lightcurve", SUPERNOVA, "--plot", str(tmp_path / "x.png"), "--quantity", quantity)
    assert (done.returncode, done.stdout) == (0, b"")
    assert imread(tmp_path / "x.png").shape[0] > 500
