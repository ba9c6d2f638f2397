"""Where thumbnails are in a Couchbase cluster: the URL, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from alertdb.thumbnails.couchbase.errors import BadCouchbaseUrl

__all__ = ["DURABILITIES", "SCHEMES", "Address", "parse_address"]

SCHEMES = ("couchbase", "couchbases")
DURABILITIES = ("none", "majority", "majority_and_persist", "persist_majority")
_DEFAULT = "_default"
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_BUCKET = re.compile(r"[A-Za-z0-9_.%-]{1,80}")  # Couchbase allows 100; "-partnership" is added
_NAME = re.compile(r"(?:_default|[A-Za-z0-9-][A-Za-z0-9_%-]*)")


@dataclass(frozen=True)
class Address:
    """A place for thumbnails in a cluster.

    Attributes
    ----------
    scheme
        ``couchbase``, or ``couchbases`` for TLS.
    hosts
        Hosts of the cluster, each with its port where it is not the usual one, separated by commas.
    bucket
        What the buckets' names begin with; the rights class follows: ``<bucket>-public``.
    scope, collection
        The same in each bucket.
    durability
        What the cluster must have done with a document before it counts as written; one of `DURABILITIES`.
    certificate
        Path of the certificate that signed the cluster's, or None for those that the system trusts.
    """

    scheme: str
    hosts: str
    bucket: str
    scope: str
    collection: str
    durability: str
    certificate: str | None

    @property
    def connection(self) -> str:
        """What the SDK connects to."""
        return f"{self.scheme}://{self.hosts}"

    def bucket_of(self, rights: str) -> str:
        """Return the name of the bucket of one rights class."""
        return f"{self.bucket}-{rights}"

    def __str__(self) -> str:
        inner = "" if self.scope == self.collection == _DEFAULT else f"/{self.scope}/{self.collection}"
        return f"{self.connection}/{self.bucket}{inner}"


def parse_address(url: str) -> Address:
    """Take a URL apart.

    Raises
    ------
    BadCouchbaseUrl
        Raised if it names no place, holds a password, or has options that do not exist.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        hidden = f"{parts.scheme}://…@{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise BadCouchbaseUrl(hidden, "it names an account, which belongs into ALERTDB_COUCHBASE_ACCOUNT")
    if not all(_HOST.fullmatch(host) for host in parts.netloc.split(",")):
        raise BadCouchbaseUrl(url, f"{parts.netloc!r} is no list of hosts" if parts.netloc else "it names no host")
    options = _options(url, parts.query, parts.scheme)
    return Address(
        parts.scheme, parts.netloc, *_place(url, parts.path), options["durability"], options.get("certificate")
    )


def _place(url: str, path: str) -> tuple[str, str, str]:
    """Return bucket, scope and collection."""
    names = [unquote(name) for name in path.strip("/").split("/")]
    if len(names) not in {1, 3}:
        raise BadCouchbaseUrl(url, f"it names {len(names)} of bucket, scope and collection")
    bucket, scope, collection = names if len(names) > 1 else (names[0], _DEFAULT, _DEFAULT)
    if not _BUCKET.fullmatch(bucket):
        raise BadCouchbaseUrl(url, f"a bucket cannot be called {bucket!r}" if bucket else "it names no bucket")
    for name in (scope, collection):
        if not _NAME.fullmatch(name):
            raise BadCouchbaseUrl(url, f"a scope or collection cannot be called {name!r}")
    return bucket, scope, collection


def _options(url: str, query: str, scheme: str) -> dict[str, str]:
    options = {"durability": "persist_majority", **dict(parse_qsl(query, keep_blank_values=True))}
    unknown = sorted(options.keys() - {"durability", "certificate"})
    if unknown:
        raise BadCouchbaseUrl(url, f"there is no option {unknown[0]!r}")
    if options["durability"] not in DURABILITIES:
        raise BadCouchbaseUrl(url, f"durability is one of {', '.join(DURABILITIES)}")
    if "certificate" in options and scheme != "couchbases":
        raise BadCouchbaseUrl(url, "a certificate is of use with couchbases:// only")
    return options
