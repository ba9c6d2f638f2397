from __future__ import annotations

from pathlib import Path

import pytest

from alertdb.doctor.findings import Grade
from alertdb.doctor.machine import Mount, find_mount, judge_free, judge_fsync, judge_mount
from alertdb.doctor.people import judge_watchdog
from alertdb.doctor.server import judge_pool, judge_setting, judge_version

MOUNTS = r"""
22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw,discard
23 22 0:21 / /home rw,noatime - nfs4 server:/home rw,vers=4.2
24 22 0:22 / /home/with\040blank rw,relatime - xfs /dev/sdb rw
25 22 0:23 / /data rw,relatime - tmpfs tmpfs rw,size=1024k
26 22 0:24 / /data rw,relatime - ext4 /dev/sdc rw,nobarrier
27 22 0:25 / /cd ro - iso9660 /dev/sr0 ro
""".strip()


@pytest.mark.parametrize(
    ("folder", "point", "kind"),
    [
        ("/", "/", "ext4"),
        ("/var/lib", "/", "ext4"),
        ("/home", "/home", "nfs4"),
        ("/homes", "/", "ext4"),
        ("/home/with blank/x", "/home/with blank", "xfs"),
        ("/data/archive", "/data", "ext4"),  # mounted over the tmpfs
    ],
)
def test_the_mount_of_a_folder(folder: str, point: str, kind: str) -> None:
    mount = find_mount(Path(folder), MOUNTS)
    assert (mount.point, mount.kind) == (point, kind)


def test_the_options_of_mount_and_file_system_count() -> None:
    assert {"rw", "relatime", "discard"} <= find_mount(Path("/x"), MOUNTS).options
    assert judge_mount("it", find_mount(Path("/data/x"), MOUNTS)).found == "ext4 on /data, without barriers"


@pytest.mark.parametrize(
    ("kind", "options", "grade", "words"),
    [
        ("ext4", "rw relatime", Grade.OK, ""),
        ("xfs", "rw noatime", Grade.OK, ""),
        ("ext4", "rw", Grade.WARNING, "noatime"),
        ("ext4", "ro relatime", Grade.PROBLEM, "writable"),
        ("tmpfs", "rw relatime", Grade.WARNING, "restarts"),
        ("overlay", "rw relatime", Grade.WARNING, "container is removed"),
        ("nfs4", "rw relatime", Grade.WARNING, "local disk"),
        ("fuse.sshfs", "rw relatime", Grade.WARNING, "local disk"),
        ("ext4", "rw relatime barrier=0", Grade.WARNING, "barriers"),
    ],
)
def test_file_systems(kind: str, options: str, grade: Grade, words: str) -> None:
    finding = judge_mount("the home", Mount("/m", kind, frozenset(options.split())))
    assert finding.grade is grade
    assert words in finding.advice
    assert bool(finding.advice) == (grade is not Grade.OK)


@pytest.mark.parametrize(("gigabytes", "grade"), [(0.5, "problem"), (5, "warning"), (50, "ok")])
def test_space(gigabytes: float, grade: str) -> None:
    assert judge_free("the home", Path("/x"), int(gigabytes * 1e9)).grade == grade


@pytest.mark.parametrize(("seconds", "grade"), [(1e-4, "ok"), (0.2, "warning")])
def test_syncs(seconds: float, grade: str) -> None:
    assert judge_fsync(seconds).grade == grade


@pytest.mark.parametrize(
    ("version", "grade"),
    [("10.11.6-MariaDB", "ok"), ("11.4.2-MariaDB-deb12", "ok"), ("10.6.1-MariaDB", "warning"), ("8.0.36", "problem")],
)
def test_versions(version: str, grade: str) -> None:
    assert judge_version(version).grade == grade


@pytest.mark.parametrize(
    ("name", "found", "expected", "grade"),
    [
        ("innodb_doublewrite", "ON", "ON", "ok"),
        ("innodb_doublewrite", "1", "ON", "ok"),
        ("innodb_doublewrite", "OFF", "ON", "problem"),
        ("innodb_flush_log_at_trx_commit", "1", "1", "ok"),
        ("innodb_flush_log_at_trx_commit", "0", "1", "problem"),
        ("default_time_zone", "+00:00", "+00:00", "ok"),
        ("default_time_zone", "SYSTEM", "+00:00", "ok"),
        ("default_time_zone", "Europe/Berlin", "+00:00", "warning"),
        ("collation_server", "latin1_swedish_ci", "utf8mb4_nopad_bin", "warning"),
    ],
)
def test_settings(name: str, found: str, expected: str, grade: str) -> None:
    finding = judge_setting(name, found, expected, {"system_time_zone": "UTC"})
    assert finding.grade == grade
    assert (f"set {name} = {expected}" in finding.advice) == (grade != "ok")


def test_system_time_that_is_not_utc() -> None:
    assert judge_setting("default_time_zone", "SYSTEM", "+00:00", {"system_time_zone": "CEST"}).grade == "warning"


@pytest.mark.parametrize(("pool", "grade"), [(2**27, "warning"), (2**33, "ok"), (15 * 2**30, "problem")])
def test_the_servers_cache(pool: int, grade: str) -> None:
    assert judge_pool(pool, 16 * 2**30).grade == grade


@pytest.mark.parametrize(
    ("people", "seconds", "grade", "words"),
    [
        (0, None, "ok", "nobody has an account"),
        (0, 9999, "ok", "nobody has an account"),
        (1, 60, "ok", "60 s ago"),
        (1, 61, "warning", "61 s ago"),
        (1, None, "warning", "never"),
    ],
)
def test_the_watchdog(people: int, seconds: int | None, grade: str, words: str) -> None:
    finding = judge_watchdog(people, seconds)
    assert (finding.grade, words in finding.found) == (grade, True)
    assert ("alertdb watchdog" in finding.advice) == (grade != "ok")
