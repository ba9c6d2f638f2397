"""Requests to an archive: one at a time, with patience, under our own name."""

from __future__ import annotations

import http.client
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

from alertdb.errors import ArchiveRefused, ArchiveUnreachable, BadArchiveUrl
from ingest.fetching.listing import Listing, find_tarballs, parse_md5sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPResponse

__all__ = ["Broken", "Patience", "Web", "length_of", "read_listing"]

T = TypeVar("T")

TIMEOUT_SECONDS = 60
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_PAUSE = 300.0  # seconds, whatever Retry-After says
LARGEST_PAGE = 64 << 20  # bytes of a listing
NOT_FOUND = 404


class Broken(Exception):
    """A request failed in a way that may pass; `pause` is how long the server asked us to wait, in seconds."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


@dataclass
class Patience:
    """How often and after which pauses a request is repeated.

    Attributes
    ----------
    tries
        How many failures in a row are too many.
    pause
        Seconds before the first repetition; each further pause is twice as long, and up to half of it is chance, so
        that many clients do not come back at once.
    tell
        Called before each pause with a line about it.
    """

    tries: int = 8
    pause: float = 1.0
    sleep: Callable[[float], None] = time.sleep
    tell: Callable[[str], None] = lambda _: None
    failures: int = 0
    _dice: random.Random = field(default_factory=random.Random)

    def wait(self, url: str, broken: Broken) -> None:
        """Wait after a failure.

        Raises
        ------
        ArchiveUnreachable
            If there were too many.
        """
        self.failures += 1
        if self.failures >= self.tries:
            raise ArchiveUnreachable(url, str(broken), self.failures)
        pause = self.pause * 2 ** (self.failures - 1) * self._dice.uniform(1, 1.5)
        pause = min(max(pause, broken.pause or 0), LONGEST_PAUSE)
        self.tell(f"{url}: {broken}; trying again in {pause:.0f} s, {self.tries - self.failures} times at most")
        self.sleep(pause)

    def reset(self) -> None:
        """Forget the failures: something arrived."""
        self.failures = 0


class Web:
    """Sends requests over HTTP and HTTPS and nothing else, redirections followed.

    Parameters
    ----------
    patience
        Makes the patience for one file or page.
    """

    def __init__(self, patience: Callable[[], Patience] = Patience) -> None:
        self.patience = patience
        self._opener = request.OpenerDirector()  # the usual opener would also read local files
        for handler in (
            request.ProxyHandler,
            request.HTTPHandler,
            request.HTTPSHandler,
            request.HTTPRedirectHandler,
            request.HTTPDefaultErrorHandler,
            request.HTTPErrorProcessor,
            request.UnknownHandler,
        ):
            self._opener.add_handler(handler())
        self._opener.addheaders = [("User-Agent", f"alertdb/{version('alertdb')}")]

    def open(self, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> HTTPResponse:
        """Send one request.

        Raises
        ------
        Broken
            If it failed in a way that may pass.
        HTTPError
            If the server refuses it.
        """
        try:
            response: HTTPResponse = self._opener.open(
                request.Request(url, headers=dict(headers or {}), method=method),  # noqa: S310 (the opener knows HTTP only)
                timeout=TIMEOUT_SECONDS,
            )
        except HTTPError as error:
            if error.code in BUSY:
                error.close()
                raise Broken(f"{error.code} {error.reason}", _seconds(error.headers.get("Retry-After"))) from error
            raise
        except (OSError, http.client.HTTPException) as error:
            raise Broken(_words(error)) from error
        return response

    def page(self, url: str) -> str | None:
        """Return the text of a page; None if there is none."""
        return self._patiently(url, "GET", lambda response: response.read(LARGEST_PAGE).decode("utf-8", "replace"))

    def size(self, url: str) -> int | None:
        """Return the size of a file in bytes; None if the server has none or does not say."""
        return self._patiently(url, "HEAD", length_of)

    def _patiently(self, url: str, method: str, read: Callable[[HTTPResponse], T]) -> T | None:
        """Return what `read` makes of the answer; None if there is no such page.

        Raises
        ------
        ArchiveUnreachable, ArchiveRefused
            If it cannot be had.
        """
        patience = self.patience()
        while True:
            try:
                with self.open(url, method=method) as response:
                    return read(response)
            except HTTPError as error:
                error.close()
                if error.code == NOT_FOUND:
                    return None
                raise ArchiveRefused(url, f"{error.code} {error.reason}") from error
            except (OSError, http.client.HTTPException, Broken) as error:
                patience.wait(url, error if isinstance(error, Broken) else Broken(_words(error)))


def read_listing(web: Web, url: str) -> Listing:
    """Read what the folder at `url` holds.

    Raises
    ------
    BadArchiveUrl
        If that is no address on the web.
    ArchiveRefused
        If the archive has no such folder.
    ArchiveUnreachable
        If it does not answer.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise BadArchiveUrl(url)
    folder = url if url.endswith("/") else f"{url}/"
    page = web.page(folder)
    if page is None:
        raise ArchiveRefused(folder, "404, no such folder")
    return Listing(find_tarballs(page, folder), parse_md5sums(web.page(urljoin(folder, "MD5SUMS")) or ""))


def length_of(response: HTTPResponse) -> int | None:
    """Return how many bytes the answer has, if it says so."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _words(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(tz=UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
