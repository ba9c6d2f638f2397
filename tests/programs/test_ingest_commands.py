"""The commands that fill the archive, called as users call them."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from plain import read_packets, stored_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(archive: Config) -> Run:
    """Call the program on the test's archive."""
    assert archive.thumbnails_url is not None
    environment = {
        **os.environ,
        "ALERTDB_HOME": str(archive.home),
        "ALERTDB_THUMBNAILS_URL": archive.thumbnails_url,
        "COLUMNS": "200",
    }

    def call(*arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alertdb.cli.main", *map(str, arguments)]
        return subprocess.run(
            command, env=environment | changes, capture_output=True, text=True, timeout=120, check=False
        )

    return call


def one_line(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """Return the only line of an error, which is no traceback."""
    assert done.returncode == code, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def test_the_real_tarballs_give_two_rejects_and_exit_0(run: Run, real_tarballs: list[Path]) -> None:
    done = run("ingest", real_tarballs[0].parent)
    assert done.returncode == 0
    last = done.stdout.strip().splitlines()[-1]
    packets = [(tarball, packet) for tarball in real_tarballs for packet in read_packets(tarball)]
    objects = {packet["objectId"] for _, packet in packets}
    limits = {
        (tarball, packet["objectId"], entry["jd"], entry["fid"])  # each tarball counts its own
        for tarball, packet in packets
        for entry in packet["prv_candidates"] or []
        if entry["candid"] is None
    }
    counts = f"27 tarballs loaded: 139 alerts, {len(objects)} objects, {len(limits):,} limits, 2 rejects, "
    assert re.fullmatch(re.escape(counts) + r"[\d.]+ s, [\d,]+ alerts/s", last), last
    rejects = run("rejects")
    assert "516434762915010006" in rejects.stdout
    assert "516442805615015004" in rejects.stdout
    assert run("rejects", "ztf_public_20180819.tar.gz").stdout.count("avro") == 0
    again = run("ingest", real_tarballs[0].parent)
    assert again.returncode == 0
    assert again.stdout.count("skipped, already loaded on") == 27
    nights = run("nights", "--format", "csv").stdout.splitlines()
    assert len(nights) == 28
    assert "ztf_public_20180819.tar.gz" in nights[2]
    assert "partial" in nights[2]  # never closed by its writer
    summary = run("summary", "rebuild")
    assert "2 objects" in summary.stdout
    status = run("status").stdout
    assert "27 loaded" in status
    assert re.search(r"alerts\s+139", status)


def test_a_load_brings_no_library_that_only_reading_needs(
    run: Run, archive: Config, real_tarballs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes as long to come as thousands of alerts to load."""
    monkeypatch.setenv("ALERTDB_HOME", str(archive.home))
    code = "import sys; from alertdb.cli import main; main.add_commands(); assert main.run(sys.argv[1:]) == 0\n"
    code += "print({'pandas', 'astropy', 'matplotlib', 'pyarrow.compute', 'fastavro'} & set(sys.modules))"
    command = [sys.executable, "-c", code, "ingest", str(real_tarballs[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stdout
    assert "ztf_public_20180819.tar.gz" in run("nights", "--format", "csv").stdout


def test_help_and_completion_bring_only_what_shows_them() -> None:
    code = "import sys; from alertdb.cli import main; main.add_commands(); main.run(['--help'])\n"
    code += "print({'numpy', 'polars', 'pyarrow', 'sqlalchemy', 'http.client', 'rich.progress'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stdout


def test_max_bad(run: Run, real_tarballs: list[Path]) -> None:
    line = one_line_of_many(run("ingest", real_tarballs[0], "--max-bad", "1"))
    assert "2 packets were rejected, more than the 1 of --max-bad" in line
    assert run("nights", "--format", "json").stdout.count('"name"') == 1  # the rest is loaded


def one_line_of_many(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return next(line for line in done.stderr.splitlines() if line.startswith("Error: "))


def test_truncated_tarball(run: Run, archive: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    whole = real_tarballs[1].read_bytes()
    cut = tmp_path / "ztf_public_20180819.tar.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    line = one_line(run("ingest", cut))
    assert re.search(r"damaged.*member \d+\.avro.*byte \d+.*--allow-damaged", line), line
    assert stored_table(archive, "alerts", ("candid",)) == {}
    done = run("ingest", cut, "--allow-damaged")
    assert done.returncode == 0
    assert "loaded as partial" in done.stderr
    assert 5 < len(stored_table(archive, "alerts", ("candid",))) < 30
    (entry,) = stored_table(archive, "tarballs", ("name",)).values()
    assert entry["state"] == "partial"
    assert "member" in entry["damage"]


def test_one_bad_tarball_does_not_stop_the_others(run: Run, real_tarballs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"this is no gzip")
    (tmp_path / "b.tar.gz").write_bytes(real_tarballs[2].read_bytes())
    done = run("ingest", tmp_path)
    assert "a.tar.gz" in one_line_of_many(done)
    assert "1 tarball loaded, 1 failed: 2 alerts" in done.stdout


def test_plain_tar_and_workers(run: Run, archive: Config, real_tarballs: list[Path], tmp_path: Path) -> None:
    for tarball in real_tarballs[2:5]:
        (tmp_path / tarball.name.removesuffix(".gz")).write_bytes(gzip.decompress(tarball.read_bytes()))
    done = run("ingest", tmp_path, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert len(stored_table(archive, "alerts", ("candid",))) == 5


def test_wrong_paths(run: Run, tmp_path: Path) -> None:
    assert "does not exist" in one_line(run("ingest", tmp_path / "none.tar.gz"), code=2)
    assert str(tmp_path) in one_line(run("ingest", tmp_path), code=2)
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt" in one_line(run("ingest", tmp_path / "notes.txt"), code=2)
    assert run("ingest").returncode == 2
    assert run("ingest", "--workers", "0", tmp_path).returncode == 2


def test_dry_run_loads_nothing(run: Run, archive: Config, real_tarballs: list[Path]) -> None:
    done = run("ingest", real_tarballs[0].parent, "--dry-run")
    assert done.returncode == 0
    last = done.stdout.strip().splitlines()[-1]
    assert re.search(
        r"about 1[34]\d alerts.* in the database.*thumbnails.*hours.*free on the disk of .*: enough", last
    ), last
    assert stored_table(archive, "tarballs", ("name",)) == {}


def test_no_server(run: Run, real_tarballs: list[Path], tmp_path: Path) -> None:
    line = one_line_of_many(run("ingest", real_tarballs[2], ALERTDB_HOME=str(tmp_path)))
    assert "alertdb init" in line
    assert "alertdb init" in one_line(run("status", ALERTDB_HOME=str(tmp_path)))


def test_unknown_names(run: Run, real_tarballs: list[Path]) -> None:
    run("ingest", real_tarballs[2])
    assert "Did you mean ztf_public_20210701.tar.gz?" in one_line(run("rejects", "ztf_public_20210701.tar"))
    assert "ZTF21nothere" in one_line(run("summary", "update", "ZTF21nothere"))


def test_summary_update_and_rebuild_agree(run: Run, archive: Config, real_tarballs: list[Path]) -> None:
    run("ingest", real_tarballs[0].parent)
    by_ingest = stored_table(archive, "summary", ("objectId",))
    assert run("summary", "update").returncode == 0
    by_update = stored_table(archive, "summary", ("objectId",))
    assert run("summary", "rebuild").returncode == 0
    by_rebuild = stored_table(archive, "summary", ("objectId",))
    assert len(by_ingest) == 2
    for name, row in by_rebuild.items():
        for column, value in row.items():
            exact = not isinstance(value, float) or column.startswith(("magmin", "magmax", "rb_m", "jd_"))
            for other in (by_ingest[name][column], by_update[name][column]):
                assert other == (value if exact else pytest.approx(value, rel=1e-9)), column


@pytest.mark.parametrize("command", ["init", "start", "stop", "status", "ingest", "nights", "rejects", "simulate"])
def test_every_command_has_help_with_an_example(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"alertdb {command}" in done.stdout.split("Usage:")[1].split("\n", 1)[1]


def test_init_start_stop_in_a_new_home(run: Run, tmp_path: Path) -> None:
    home = {"ALERTDB_HOME": str(tmp_path / "home"), "ALERTDB_THUMBNAILS_URL": ""}
    for _ in range(2):
        assert run("init", **home).returncode == 0
    assert (tmp_path / "home" / "alertdb.toml").exists()
    assert "0 loaded" in run("status", **home).stdout
    assert "was stopped" in run("stop", **home).stdout
    assert "did not run" in run("stop", **home).stdout
    assert "alertdb start" in one_line(run("status", **home))
    assert run("start", **home).returncode == 0
    assert run("stop", **home).returncode == 0
