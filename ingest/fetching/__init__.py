"""Nightly tarballs from an archive on the web: resumed where they broke off, verified, one at a time."""

from ingest.fetching.download import Fetched, fetch_tarball
from ingest.fetching.listing import Listing, nights_between, tarball_name
from ingest.fetching.web import Patience, Web, read_listing

__all__ = ["Fetched", "Listing", "Patience", "Web", "fetch_tarball", "nights_between", "read_listing", "tarball_name"]
