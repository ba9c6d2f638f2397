"""Processes that change a store and that tests kill while they do. The server they fork from has the SDK imported."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import build_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess

__all__ = ["remove", "start", "write"]

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["alertdb.thumbnails.couchbase.store"])


def document(candid: int, version: str = "") -> bytes:
    return build_document({"science": b"%d %s" % (candid, version.encode()), "difference": bytes(candid % 50)})


def write(url: str, account: str, candids: Sequence[int], version: str) -> None:
    """Seal documents as the tarball ``night``."""
    os.environ["ALERTDB_COUCHBASE_ACCOUNT"] = account
    with open_store(url, readonly=False).writer("night", "public") as writer:
        writer.put_many((candid, document(candid, version)) for candid in candids)


def remove(url: str, account: str) -> None:
    """Remove that tarball."""
    os.environ["ALERTDB_COUCHBASE_ACCOUNT"] = account
    open_store(url, readonly=False).remove("night", "public")


def start(target: object, *arguments: object) -> BaseProcess:
    process = _CONTEXT.Process(target=target, args=arguments)  # type: ignore[arg-type]
    process.start()
    return process
