"""The private MariaDB of an archive: its own data folder and unix socket, no TCP; a system's server is left alone."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import mariadb

from alertdb.errors import ServerMissing, ServerStartFailed, ServerStopFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["PrivateServer", "find_program"]

SOCKET_PATH_LIMIT = 107  # bytes; the kernel's limit for a unix socket, over which mariadbd aborts
START_SECONDS = 300  # crash recovery of a large open transaction takes its time
STOP_SECONDS = 3600  # gigabytes of changed pages go to the disk first
MARIADB_USER = "mysql"
REFUSED = (1045, 1698)  # "access denied": somebody answers


class PrivateServer:
    """A MariaDB server that belongs to one archive.

    Parameters
    ----------
    home
        The archive's home; the server lives in ``home/mariadb``.
    options
        Further options of mariadbd as ``name=value``; they win over ``sql/settings/private.cnf``.
    """

    def __init__(self, home: Path, options: Sequence[str] = ()) -> None:
        self.folder = home / "mariadb"
        self.data = self.folder / "data"
        self.log = self.folder / "error.log"
        self.start_log = self.folder / "start.log"
        self.pid_file = self.folder / "mariadbd.pid"
        self.temporary = self.folder / "tmp"  # of its own: a server that starts clears away what others have there
        self.options = tuple(options)

    @property
    def socket(self) -> Path:
        """Path of the unix socket: in the server's folder, or in /tmp where that path would be too long."""
        path = self.folder / "mariadbd.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(f"/tmp/alertdb-{digest}/mariadbd.sock")  # noqa: S108 (a folder that only its owner enters)

    @property
    def exists(self) -> bool:
        """Whether the data folder was made."""
        return (self.data / "mysql").is_dir()

    def pid(self) -> int | None:
        """Process id of the running server, or None."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if _is_mariadbd(pid) else None
        except (OSError, ValueError):
            return None

    def ensure_created(self) -> None:
        """Make the data folder, unless it is there; its root account has no password yet."""
        if self.exists:
            return
        unfinished = self.folder / "data.unfinished"  # an interrupted run must not look like a server
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_private(self.folder)
        self._make_private(self.temporary)
        # A relative path: mariadb-install-db is a shell script that a blank in a path ends.
        command = [find_program("mariadb-install-db"), "--no-defaults", f"--datadir=./{unfinished.name}"]
        # --force: it would insist on looking up the host's name, which a bare container does not have.
        command += ["--auth-root-authentication-method=normal", "--skip-test-db", "--force", *self._user_option()]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=self._environment()
        )
        if done.returncode != 0:
            self.start_log.write_text(done.stdout + done.stderr)
            raise ServerStartFailed(_last_error(self.start_log), self.start_log)
        unfinished.rename(self.data)

    def ensure_started(self) -> None:
        """Make the server if needed, start it unless it runs, and return when it takes connections.

        Raises
        ------
        ServerMissing
            If MariaDB is not installed.
        ServerStartFailed
            If it ended at once or did not answer in time.
        """
        with self._alone():
            self.ensure_created()
            if self.pid() is not None:  # it runs, or was killed just now and is not quite gone
                _wait(lambda: self.pid() is None or self._answers(), START_SECONDS)
            if self.pid() is None:
                self._launch()

    def ensure_stopped(self) -> bool:
        """Stop the server and wait until it has ended; return whether it ran.

        Raises
        ------
        ServerStopFailed
            If it is still there after an hour.
        """
        with self._alone():
            pid = self.pid()
            if pid is None:
                return False
            os.kill(pid, signal.SIGTERM)
            if not _wait(lambda: not _is_mariadbd(pid), STOP_SECONDS):
                raise ServerStopFailed(pid, STOP_SECONDS, self.log)
            return True

    def adopt(self, data: Path) -> None:
        """Take a data folder that was made elsewhere, and lies in the server's folder by now, as the server's own."""
        self._make_private(self.folder)
        if os.geteuid() == 0:
            user = self._user()
            for path in (data, *data.rglob("*")):
                shutil.chown(path, user)
        data.rename(self.data)

    def _launch(self) -> None:
        for folder in (self.folder, self.temporary, self.socket.parent):
            self._make_private(folder)
        with (
            as_file(files("alertdb").joinpath("sql/settings/private.cnf")) as settings,
            self.start_log.open("w") as log,
        ):
            process = subprocess.Popen(
                [find_program("mariadbd"), f"--defaults-file={settings}", *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal stops the command, not the server
                cwd="/",
                env=self._environment(),
            )
            if _wait(lambda: process.poll() is not None or self._answers(), START_SECONDS) and process.poll() is None:
                return
        if process.poll() is None:
            process.terminate()
            raise ServerStartFailed(f"it did not answer within {START_SECONDS} s.", self.log)
        # An option that mariadbd does not know ends it before it opens its own log.
        log_told = self.log if "[ERROR]" not in self.start_log.read_text(errors="replace") else self.start_log
        raise ServerStartFailed(_last_error(log_told), log_told)

    def _answers(self) -> bool:
        try:
            mariadb.connect(unix_socket=str(self.socket), user="nobody-asks", connect_timeout=5).close()
        except mariadb.Error as error:
            return getattr(error, "errno", None) in REFUSED
        return True

    def _arguments(self) -> list[str]:
        paths = {
            "datadir": self.data,
            "socket": self.socket,
            "pid-file": self.pid_file,
            "log-error": self.log,
        }
        options = [f"--{option.removeprefix('--')}" for option in self.options]
        return [f"--{name}={path}" for name, path in paths.items()] + options + self._user_option()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.temporary)}

    def _user_option(self) -> list[str]:
        return [f"--user={self._user()}"] if os.geteuid() == 0 else []

    def _user(self) -> str:
        """Whom a server started by root runs as: the owner of its data, else `mysql` where that user can get there."""
        if self.data.exists():
            return pwd.getpwuid(self.data.stat().st_uid).pw_name
        reachable = all(parent.stat().st_mode & 0o001 for parent in self.folder.resolve().parents)
        try:
            pwd.getpwnam(MARIADB_USER)
        except KeyError:
            return "root"
        return MARIADB_USER if reachable else "root"

    def _make_private(self, folder: Path) -> None:
        """Make a folder that only the server's user enters: who reaches the socket reaches the door."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # fails where somebody else made this folder in /tmp
        if os.geteuid() == 0:
            shutil.chown(folder, self._user())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep two starts apart: a second mariadbd on the same data folder would hang on its locks."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def find_program(name: str) -> str:
    """Return the path of a program of MariaDB; some distributions keep these off a user's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerMissing(name)
    return path


def _is_mariadbd(pid: int) -> bool:
    """Whether this process is a MariaDB server that has not ended (a zombie has no command line)."""
    try:
        return b"mariadbd" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (finished := done()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return finished


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "[ERROR]" in line and "Aborting" not in line]
    return (errors or lines or ["it said nothing"])[-1].rstrip(".") + "."
