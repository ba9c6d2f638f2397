"""What every benchmark does around its measuring: arguments in, a table and a JSON file out.

A script begins by putting the repository in the place of its own folder in ``sys.path``. Its own folder must go, since
an `ingest.py` there would stand before the package `ingest`. It is replaced and not deleted because a process that
multiprocessing starts imports the script again, with the path of its parent: there the same line changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from alertdb.errors import AlertdbError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parents[2]

Figures: TypeAlias = dict[str, float]


class Program(argparse.ArgumentParser):
    """The program of one benchmark.

    Parameters
    ----------
    description
        What `--help` says; the docstring of the script.
    """

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        self._sizes: dict[str, tuple[int, int]] = {}
        self.add_argument("--quick", action="store_true", help="about a minute or less, at a smaller size")
        self.add_argument("--json", type=file_to_write, metavar="FILE", help="write the figures there")
        self.add_argument(
            "--data",
            type=folder_to_fill,
            metavar="FOLDER",
            help="where the benchmark writes what it removes at its end: a fast local disk (default: the system's "
            "folder for temporary files)",
        )
        self.set_defaults(keep=None)

    def add_size(self, name: str, full: int, quick: int, *, help: str) -> None:  # noqa: A002 - argparse's own word
        """Add an argument for a count; its default depends on `--quick`."""
        self._sizes[name] = (full, quick)
        told = f"{help} (default: {full:,}; with --quick {quick:,})"
        self.add_argument(f"--{name}", type=count, metavar="N", help=told)

    def add_keep(self) -> None:
        """Add an argument for an archive that outlives the run."""
        told = "where the archive stays, or where an earlier run left it"
        self.add_argument("--keep", type=folder_to_fill, metavar="FOLDER", help=told)

    def options(self) -> argparse.Namespace:
        """Read the command line."""
        options = self.parse_args()
        for name, (full, quick) in self._sizes.items():
            if getattr(options, name) is None:
                setattr(options, name, quick if options.quick else full)
        return options

    def run(self, measure: Callable[[Path, argparse.Namespace], Mapping[str, float]]) -> None:
        """Measure in a folder that goes away, as the command line says; write the figures down and print them."""
        options = self.options()
        try:
            with tempfile.TemporaryDirectory(dir=options.data or options.keep) as folder:
                figures = {**measure(Path(folder), options), "quick": int(options.quick)}
        except AlertdbError as error:
            self.exit(error.exit_code, f"Error: {error}\n")
        if options.json:
            options.json.write_text(json.dumps(figures, indent=2) + "\n")
        show(figures)
        if options.quick:
            print("a quick run: figures of a smaller size than those to be quoted")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage that argparse puts before it."""
        self.exit(2, f"Error: {message}. All arguments: {self.prog} --help\n")


def show(figures: Mapping[str, float]) -> None:
    """Print figures, one a line."""
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:{width}} {value:14,.4f}" if isinstance(value, float) else f"{name:{width}} {value:14,}")


def count(text: str) -> int:
    """Read a whole number of 1 or more."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no count; give a whole number of 1 or more")
    return int(text)


def folder_to_fill(text: str) -> Path:
    """Read the name of a folder that is there and can be written to."""
    path = Path(text).absolute()
    if not os.access(path, os.F_OK):
        raise argparse.ArgumentTypeError(f"the folder {path} does not exist; make it, or name another")
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a file where a folder is needed; name a folder")
    if not os.access(path, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written to; change its rights, or name another")
    return path


def file_to_write(text: str) -> Path:
    """Read the name of a file that can be written, or written over."""
    path = Path(text).absolute()
    folder_to_fill(str(path.parent))
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{path} is a folder where a file is needed; name a file in it")
    if os.access(path, os.F_OK) and not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written to; change its rights, or name another")
    return path
