"""The command `alertdb fetch`."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli.output import console, message, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from ingest.fetching.listing import Listing
    from ingest.fetching.web import Web

__all__ = ["fetch"]

PUBLIC_ARCHIVE = "https://ztf.uw.edu/alerts/public/"
SECONDS_BETWEEN_LINES = 10.0


def fetch(
    night: Annotated[int, typer.Option(metavar="YYYYMMDD", help="Night to fetch (UTC), or the first of several.")],
    to: Annotated[int | None, typer.Option(metavar="YYYYMMDD", help="The last night.")] = None,
    address: Annotated[
        str, typer.Option("--from", metavar="URL", help="Folder of an archive that has tarballs and MD5SUMS.")
    ] = PUBLIC_ARCHIVE,
    output: Annotated[Path, typer.Option(file_okay=False, metavar="FOLDER", help="Where to put them.")] = Path(),
    partnership: Annotated[
        bool, typer.Option("--partnership", help="The partnership's tarballs instead of the public ones.")
    ] = False,
) -> None:
    """Fetch nightly tarballs from an archive on the web, each verified by the archive's MD5SUMS.

    A tarball that is there and right is skipped. After an interruption of any kind run the same command again: it goes
    on where it broke off. A night that the archive does not have had no alerts, or is not there yet.

    Examples
    --------
      alertdb fetch --night 20240105

      alertdb fetch --night 20240101 --to 20240131 --output nights && alertdb ingest nights

      alertdb fetch --night 20240105 --from https://archive.example.org/ztf/
    """
    from ingest.fetching.listing import nights_between, tarball_name
    from ingest.fetching.web import Patience, Web, read_listing

    names = [tarball_name(each, partnership=partnership) for each in nights_between(night, to)]
    web = Web(lambda: Patience(tell=message))
    listing = read_listing(web, address)
    there = [name for name in names if name in listing.urls]
    missing = [name for name in names if name not in listing.urls]
    if missing:
        message(f"Not in the archive (no alerts, or not yet): {', '.join(missing)}")
    if there and not listing.md5:
        message("The archive has no MD5SUMS: sizes are compared, contents are not.")
    failed = _fetch_all(web, listing, there, output)
    console().print(
        f"{len(there) - failed:,} tarballs are in {output}, {len(missing):,} are not in the archive"
        + (f", {failed:,} failed" if failed else ""),
        soft_wrap=True,
    )
    if failed:
        raise typer.Exit(1)


def _fetch_all(web: Web, listing: Listing, names: Sequence[str], folder: Path) -> int:
    """Fetch one tarball after the other and tell of each; return how many failed."""
    from alertdb.errors import AlertdbError, ArchiveUnreachable, FetchNotWritten, NoRoom
    from ingest.fetching.download import fetch_tarball

    failed = 0
    screen = console()
    for name in names:
        try:
            with _progress(screen, name) as progress:
                fetched = fetch_tarball(web, listing, name, folder, progress)
        except (ArchiveUnreachable, FetchNotWritten, NoRoom):
            raise  # the next one would fare no better
        except AlertdbError as error:
            message(f"Error: {error}")
            failed += 1
            continue
        what = "was there" if fetched.was_there else "fetched"
        how = "MD5 sum right" if fetched.verified else "size right, no MD5 sum to compare"
        screen.print(f"{name}: {what}, {size(fetched.bytes)}, {how}", soft_wrap=True)
    return failed


@contextmanager
def _progress(screen: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to tell how many bytes are there, of how many."""
    if not screen.is_terminal:
        yield _lines(name)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(name: str) -> Callable[[int, int], None]:
    """Tell in a line now and then."""
    first: tuple[float, int] | None = None
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal first, last
        now = time.monotonic()
        first = first or (now, done)
        if now - last > SECONDS_BETWEEN_LINES:
            last = now
            rate = (done - first[1]) / max(now - first[0], 1e-3)
            left = f", {(total - done) / rate:,.0f} s left" if rate else ""
            message(f"{name}: {size(done)} of {size(total)}, {size(int(rate))}/s{left}")

    return tell
