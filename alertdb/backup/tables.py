"""The server's files: copied while it runs, made ready, and tried out by starting a server on the copy."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alertdb.backup.errors import BackupProgramMissing, BackupServerFailed, DataElsewhere
from alertdb.backup.layout import DATA
from alertdb.config import Config
from alertdb.database import Account, connect, database_url
from alertdb.errors import AlertdbError, ServerMissing
from alertdb.server import PrivateServer, find_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL

__all__ = ["Trial", "copy_tables", "data_folder", "try_tables"]

PROGRAM = "mariadb-backup"
ERROR = re.compile(r"\berror\b", re.IGNORECASE)
# Of the program that copied; a server has no use for them.
LEFT_BEHIND = ("xtrabackup_*", "mariadb_backup_*", "backup-my.cnf")
# The copy is started once, to be read: small, and with the smallest redo log, which stays in the backup.
TRIAL_OPTIONS = ("innodb_buffer_pool_size=64M", "innodb_log_file_size=4M")


@dataclass(frozen=True)
class Trial:
    """What a server found in the copy: its version, and of each tarball in the ledger name, alerts and thumbnails."""

    server: str
    tarballs: dict[str, tuple[int, int]]


def data_folder(config: Config) -> Path:
    """Return the folder in which the server keeps its tables, which must be readable here."""
    with connect(config, Account.ADMIN, database=None) as connection:
        found = str(connection.exec_driver_sql("SELECT @@datadir").scalar_one())
    try:
        if (Path(found) / "ibdata1").is_file():
            return Path(found)
    except PermissionError:
        pass
    raise DataElsewhere(found)


def copy_tables(config: Config, data: Path, target: Path, log: Path) -> None:
    """Copy all databases and accounts as they are at one moment, while loads and readers go on.

    Parameters
    ----------
    data
        The server's data folder.
    target
        Folder to make. Afterwards a server can be started on it.

    Raises
    ------
    BackupServerFailed
        If the copy is not whole.
    """
    try:
        program = find_program(PROGRAM)
    except ServerMissing as error:
        raise BackupProgramMissing(PROGRAM) from error
    target.mkdir(parents=True, mode=0o700)
    with _login(database_url(config, Account.ADMIN)) as login:
        options = [f"--defaults-file={login}", f"--target-dir={target}"]
        _run("copying the tables", [program, *options, "--backup", f"--datadir={data}"], log)
    _run("making the copy ready", [program, "--no-defaults", "--prepare", f"--target-dir={target}"], log)
    for pattern in LEFT_BEHIND:
        for path in target.glob(pattern):
            path.unlink()


def try_tables(backup: Path, work: Path, log: Path) -> Trial:
    """Start a server on the copy in a backup, read the ledger as the archive's reader does, and stop it.

    Parameters
    ----------
    backup
        Tables and secrets.
    work
        Folder for the server's socket and logs; the backup's own disk may know no sockets.

    Raises
    ------
    BackupServerFailed
        If that does not succeed.
    """
    trial = Config(home=work)
    server = PrivateServer(trial.home, TRIAL_OPTIONS)
    server.ensure_stopped()  # of a backup that was killed
    shutil.rmtree(work)
    (work / "mariadb").mkdir(parents=True, mode=0o700)
    for name in (DATA, trial.secrets.name):
        (work / name).symlink_to((backup / name).absolute())
    try:
        server.ensure_started()
        with connect(trial, Account.READER) as connection:
            rows = connection.exec_driver_sql("SELECT name, alerts, thumbnails FROM tarballs").all()
            version = str(connection.exec_driver_sql("SELECT VERSION()").scalar_one())
    except AlertdbError as error:
        if server.log.exists():
            log.write_text(server.log.read_text(errors="replace"))
        raise BackupServerFailed("starting a server on the copy", str(error), log) from error
    finally:
        server.ensure_stopped()
        shutil.rmtree(work)
    return Trial(version, {row.name: (row.alerts, row.thumbnails) for row in rows})


@contextmanager
def _login(url: URL) -> Iterator[Path]:
    """Give a file that names the account: in a process's arguments all users of the machine would see the password."""
    facts = {
        "user": url.username,
        "password": url.password,
        "socket": url.query.get("unix_socket"),
        "host": url.host,
        "port": url.port,
    }
    lines = [f'{name}="{_escaped(str(value))}"' for name, value in facts.items() if value is not None]
    with tempfile.TemporaryDirectory(prefix="alertdb-") as folder:  # mode 0700
        path = Path(folder) / "login.cnf"
        path.write_text("[client]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        yield path


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _run(step: str, command: Sequence[str], log: Path) -> None:
    with log.open("ab") as file:
        # With our files open: it inherits the lock that keeps a second backup away.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False, close_fds=False)
    if done.returncode != 0:
        raise BackupServerFailed(step, _first_error(log), log)


def _first_error(log: Path) -> str:
    """Return the line that tells the cause; those that follow tell what it led to."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if ERROR.search(line)]
    return (errors or lines[-1:] or ["it said nothing"])[0][-300:]
