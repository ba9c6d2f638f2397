"""The machine: file systems, how long the disk takes to keep a promise, space, memory for files, clock, versions."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from alertdb.doctor.findings import Finding, Grade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config

__all__ = ["Mount", "examine_machine", "find_mount", "judge_free", "judge_fsync", "judge_mount"]

MOUNTS = Path("/proc/self/mountinfo")
SYNCS = 20
SLOW_SYNC_SECONDS = 0.03  # a disk that turns needs about this long
LITTLE_BYTES, LOW_BYTES = 10**9, 20 * 10**9
FEW_FILES = 1024
SKEW_SECONDS = 2.0
VOLATILE = {"tmpfs": "the machine restarts", "ramfs": "the machine restarts", "overlay": "the container is removed"}
REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "afs", "glusterfs", "ceph", "lustre", "beegfs")


@dataclass(frozen=True)
class Mount:
    """A mounted file system: where, of what type, with which options."""

    point: str
    kind: str
    options: frozenset[str]


def examine_machine(config: Config) -> Iterator[Finding]:
    """Look at the disks under the archive, and at what runs on them."""
    for name, folder in _folders(config):
        yield judge_mount(name, find_mount(folder, MOUNTS.read_text(encoding="utf-8")))
        yield judge_free(name, folder, shutil.disk_usage(folder).free)
    try:
        seconds, skew = _measure(config.home)
    except OSError as error:
        advice = "Make the folder writable for this account, or call this as the archive's owner."
        yield Finding("writing", Grade.PROBLEM, f"cannot write in {config.home}: {error.strerror}", advice)
    else:
        yield judge_fsync(seconds)
        yield _judge_skew(skew)
    yield _judge_clock()
    yield _judge_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield _versions()


def find_mount(folder: Path, mounts: str) -> Mount:
    """Return the file system that a folder lies on, from the text of /proc/self/mountinfo."""
    path = os.path.realpath(folder)
    found = Mount("/", "unknown", frozenset())
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), before.split()[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found.point):  # of equal ones the last lies on top
            kind, _, more = after.split(maxsplit=2)
            found = Mount(point, kind, frozenset(before.split()[5].split(",")) | frozenset(more.split(",")))
    return found


def judge_mount(name: str, mount: Mount) -> Finding:
    """Say whether a file system is one that a database trusts."""
    check, found = f"file system of {name}", f"{mount.kind} on {mount.point}"
    if "ro" in mount.options:
        return Finding(check, Grade.PROBLEM, f"{found}, read-only", "Mount it writable.")
    if mount.kind in VOLATILE:
        advice = f"What is on it is gone when {VOLATILE[mount.kind]}: put the archive on a disk of its own."
        return Finding(check, Grade.WARNING, found, advice)
    if mount.kind.partition(".")[0] in REMOTE:
        advice = "A database needs locks and syncs that such file systems may not keep: use a local disk."
        return Finding(check, Grade.WARNING, found, advice)
    if mount.options & {"nobarrier", "barrier=0"}:
        advice = "A power cut may lose what was committed: mount it with barriers."
        return Finding(check, Grade.WARNING, f"{found}, without barriers", advice)
    if not mount.options & {"noatime", "relatime"}:
        advice = "Each reading writes a time of access: mount it with noatime."
        return Finding(check, Grade.WARNING, f"{found}, with strict times of access", advice)
    return Finding(check, Grade.OK, found)


def judge_free(name: str, folder: Path, free: int) -> Finding:
    """Say whether there is room."""
    grade = Grade.PROBLEM if free < LITTLE_BYTES else Grade.WARNING if free < LOW_BYTES else Grade.OK
    advice = f"Make room under {folder}; 'alertdb ingest --dry-run' says what a tarball needs."
    return Finding.judged(f"space for {name}", f"{free / 1e9:,.1f} GB free", grade, advice)


def judge_fsync(seconds: float) -> Finding:
    """Say whether the disk is quick to confirm that something is written."""
    grade = Grade.WARNING if seconds > SLOW_SYNC_SECONDS else Grade.OK
    advice = "Every commit and every sealed file waits for this: use an SSD, or a controller with a protected cache."
    return Finding.judged("sync of the disk", f"{seconds * 1e3:.2f} ms (median of {SYNCS})", grade, advice)


def _folders(config: Config) -> Iterator[tuple[str, Path]]:
    """Yield what lies on which folder, each file system once."""
    places = [("the home", config.home)]
    if config.database_url is None:
        places.append(("the database", config.home / "mariadb"))
    url = urlsplit(config.thumbnails)
    if url.scheme == "file":
        places.append(("the thumbnails", Path(unquote(url.path))))
    seen = set()
    for name, folder in places:
        if folder.exists() and (device := folder.stat().st_dev) not in seen:
            seen.add(device)
            yield name, folder


def _measure(folder: Path) -> tuple[float, float]:
    """Return the median time of a sync, and how far the file system's clock is ahead of ours, both in seconds."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
        skew = os.fstat(file.fileno()).st_mtime - time.time()
    return statistics.median(times), skew


def _judge_skew(skew: float) -> Finding:
    grade = Grade.WARNING if abs(skew) > SKEW_SECONDS else Grade.OK
    advice = "The file server's clock and this machine's differ: have both ask the same time server."
    return Finding.judged("clock of the disk", f"{abs(skew):.1f} s from this machine's", grade, advice)


def _judge_clock() -> Finding:
    zone = time.strftime("%Z (UTC%z)")
    program = shutil.which("timedatectl")
    if program is None:
        return Finding("clock", Grade.OK, f"time zone {zone}; whether a time server sets it is not known")
    told = subprocess.run([program, "show", "-p", "NTPSynchronized"], capture_output=True, text=True, check=False)
    if told.stdout.strip() == "NTPSynchronized=no":
        advice = "The times in the ledger come from it: install chrony or systemd-timesyncd."
        return Finding("clock", Grade.WARNING, f"time zone {zone}, set by no time server", advice)
    state = "set by a time server" if told.returncode == 0 else "whether a time server sets it is not known"
    return Finding("clock", Grade.OK, f"time zone {zone}; {state}")


def _judge_files(limit: int) -> Finding:
    grade = Grade.OK if limit == resource.RLIM_INFINITY or limit >= FEW_FILES else Grade.WARNING
    found = "no limit" if limit == resource.RLIM_INFINITY else f"{limit:,} at once"
    return Finding.judged("open files", found, grade, f"Allow {FEW_FILES:,} or more (ulimit -n).")


def _versions() -> Finding:
    names = ("alertdb", "numpy", "mariadb", "sqlalchemy", "polars", "pyarrow")
    found = ", ".join(f"{name} {_version(name)}" for name in names)
    return Finding("versions", Grade.OK, f"Python {platform.python_version()}, {found}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
