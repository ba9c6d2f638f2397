"""What an archive says it has: the links of a folder's page and the lines of MD5SUMS. No network in here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from alertdb.errors import BadNightError, BadNightRange

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Listing", "find_tarballs", "nights_between", "parse_md5sums", "tarball_name"]

TARBALL = re.compile(r"ztf_(public|partnership)_\d{8}\.tar\.gz")
# `md5sum` writes the first form, `md5sum --tag` and BSD's md5 the second.
MD5_LINE = re.compile(r"(?P<md5>[0-9a-fA-F]{32})[ \t]+\*?(?P<name>\S+)")
MD5_TAGGED = re.compile(r"MD5 \((?P<name>[^)]+)\) = (?P<md5>[0-9a-fA-F]{32})")
FIRST_YEAR, LAST_YEAR = 2017, 2042


@dataclass(frozen=True)
class Listing:
    """What is in a folder of an archive.

    Attributes
    ----------
    urls
        Address of each tarball by its name.
    md5
        MD5 sum of each file by its name, in lower-case hex; empty if the archive has no MD5SUMS.
    """

    urls: Mapping[str, str]
    md5: Mapping[str, str] = field(default_factory=dict)


def tarball_name(night: int, *, partnership: bool = False) -> str:
    """Return the name of a night's tarball; `night` is YYYYMMDD."""
    return f"ztf_{'partnership' if partnership else 'public'}_{night}.tar.gz"


def nights_between(first: int, last: int | None = None) -> list[int]:
    """Return the nights (YYYYMMDD) from `first` to `last`, both included; `first` alone without `last`.

    Raises
    ------
    BadNightError
        If one of them is no date.
    BadNightRange
        If they stand in the wrong order.
    """
    start, end = _date(first), _date(last if last is not None else first)
    if end < start:
        raise BadNightRange(first, last)
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    return [int(f"{day:%Y%m%d}") for day in days]


def find_tarballs(page: str, address: str) -> dict[str, str]:
    """Return the address of each nightly tarball that a folder's page links to, by name.

    Parameters
    ----------
    page
        HTML as Apache and most other servers write it for a folder.
    address
        Where the page came from.
    """
    links = _Links()
    links.feed(page)
    found = {}
    for target in links.targets:
        url = urljoin(address, target)
        name = unquote(urlsplit(url).path).rpartition("/")[2]
        if TARBALL.fullmatch(name):
            found[name] = url
    return found


def parse_md5sums(text: str) -> dict[str, str]:
    """Return the MD5 sum of each file that an MD5SUMS names, without folders; other lines are passed over."""
    matches = (MD5_LINE.fullmatch(line.strip()) or MD5_TAGGED.fullmatch(line.strip()) for line in text.splitlines())
    return {match["name"].rpartition("/")[2]: match["md5"].lower() for match in matches if match is not None}


class _Links(HTMLParser):
    """Collects where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the target of a link."""
        if tag == "a":
            self.targets += [value for name, value in attrs if name == "href" and value]


def _date(night: int) -> datetime:
    try:
        day = datetime.strptime(f"{night:08d}", "%Y%m%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadNightError(night) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise BadNightError(night)
    return day
