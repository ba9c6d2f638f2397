"""The Couchbase cluster, where an archive keeps its thumbnails in one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from alertdb.doctor.findings import Finding, Grade
from alertdb.errors import AlertdbError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alertdb.config import Config

__all__ = ["examine_couchbase", "judge_transport", "judge_unfinished"]

LOCAL = ("localhost", "127.", "[::1]")


def examine_couchbase(config: Config) -> Iterator[Finding]:
    """See whether the cluster answers, what writers have left in it, and who may listen."""
    url = urlsplit(config.thumbnails)
    if url.scheme not in {"couchbase", "couchbases"}:
        return
    yield judge_transport(url.scheme, url.netloc)
    try:
        from alertdb.thumbnails.couchbase.store import CouchbaseStore  # here, since it brings the SDK

        store = CouchbaseStore(config.thumbnails, config.secrets)
        tarballs = store.tarballs()
        yield Finding(
            "Couchbase", Grade.OK, f"{store.address} answers: {sum(t.documents for t in tarballs):,} thumbnails"
        )
        yield judge_unfinished(store.unfinished())
    except (AlertdbError, ModuleNotFoundError) as error:
        yield Finding("Couchbase", Grade.PROBLEM, str(error), "Until then no thumbnail is read, and nothing loaded.")


def judge_transport(scheme: str, hosts: str) -> Finding:
    """Say whether what goes to the cluster can be read on its way."""
    open_hosts = [host for host in hosts.split(",") if not host.startswith(LOCAL)]
    check = "way to Couchbase"
    if scheme == "couchbase" and open_hosts:
        advice = "Partnership data can be read by whoever listens: use couchbases:// with a certificate."
        return Finding(check, Grade.WARNING, f"not encrypted to {', '.join(open_hosts)}", advice)
    return Finding(check, Grade.OK, "encrypted" if scheme == "couchbases" else "does not leave this machine")


def judge_unfinished(unfinished: Sequence[tuple[str, str, str]]) -> Finding:
    """Say what was begun and not sealed (tarball, rights class, when)."""
    check = "unfinished thumbnails"
    if not unfinished:
        return Finding(check, Grade.OK, "nothing is left over")
    names = ", ".join(f"{tarball} ({rights}, {begun})" for tarball, rights, begun in unfinished[:3])
    more = f" and {len(unfinished) - 3} more" if len(unfinished) > 3 else ""
    advice = "Unless a load is running: load that tarball again, or 'alertdb remove' it; both clear them away."
    return Finding(check, Grade.WARNING, f"{len(unfinished)} left over: {names}{more}", advice)
