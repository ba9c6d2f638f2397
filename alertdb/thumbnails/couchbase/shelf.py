"""One rights class in Couchbase: its documents, its catalogue, and what takes documents away again."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from alertdb.errors import DamagedThumbnail
from alertdb.thumbnails.checksums import CHECKSUM
from alertdb.thumbnails.couchbase.catalogue import (
    CATALOGUE,
    Catalogue,
    Entry,
    Sealed,
    pack_catalogue,
    part_key,
    unpack_catalogue,
    unpack_part,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from alertdb.thumbnails.checksums import Checksums
    from alertdb.thumbnails.couchbase.wire import Found, Wire

__all__ = ["Shelf"]

_PARTS_AT_ONCE = 64  # of a list whose length is not known
_KEYS_AT_ONCE = 512  # thumbnails that are read before they are deleted: 20 MB


class Shelf:
    """The thumbnails of one bucket, by tarball."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def catalogue(self) -> Catalogue:
        """Return what the bucket says of its tarballs."""
        return self._look()[0]

    def change(self, change: Callable[[Catalogue], None]) -> None:
        """Change the catalogue, however many others do at the same time; `change` may be called several times."""
        while True:
            catalogue, cas = self._look()
            before = pack_catalogue(catalogue)
            change(catalogue)
            after = pack_catalogue(catalogue)
            if after == before or self.wire.swap(CATALOGUE, after, cas):
                return

    def list_of(self, sealed: Sealed) -> Iterator[Checksums | DamagedThumbnail]:
        """Yield the parts of a sealed tarball's list, or for each that cannot be read why."""
        for start in range(0, sealed.parts, _PARTS_AT_ONCE):
            numbers = range(start, min(start + _PARTS_AT_ONCE, sealed.parts))
            found = self.wire.read(part_key(sealed.generation, number) for number in numbers)
            for number in numbers:
                yield self._part(part_key(sealed.generation, number), found)

    def records(self, sealed: Sealed) -> Checksums:
        """Return what the sealed list tells, sorted by candid; what damage hides is left out."""
        parts = [part for part in self.list_of(sealed) if not isinstance(part, DamagedThumbnail)]
        return _sorted(parts)

    def sweep(self, tarball: str) -> None:
        """Take away all that the tarball's generations other than the sealed one have left; may be killed and repeated.

        A document stays if any other generation names it: of this tarball, of another, or of one being written.
        """
        catalogue = self.catalogue()
        entry = catalogue.get(tarball, Entry())
        if not entry.others:
            return
        lists = {generation: self._open_list(generation) for generation in entry.others}
        gone = _sorted([part for parts in lists.values() for _, part in parts])["candid"]
        if entry.sealed is not None and len(gone):
            gone = np.setdiff1d(gone, self.records(entry.sealed)["candid"])
        for start in range(0, len(gone), _KEYS_AT_ONCE):
            self._delete_unneeded(np.unique(gone[start : start + _KEYS_AT_ONCE]), tarball)
        for generation, parts in lists.items():
            self._delete_list([part_key(generation, number) for number, _ in parts])

        def forget(catalogue: Catalogue) -> None:
            now = catalogue.get(tarball, Entry())
            left = {name: begun for name, begun in now.others.items() if name not in lists}
            catalogue[tarball] = replace(now, others=left)

        self.change(forget)

    def _delete_unneeded(self, candids: npt.NDArray[np.int64], tarball: str) -> None:
        """Delete these thumbnails but those that a list of another tarball names.

        The order matters. A writer names a document before it writes it. So a document that is written after we have
        read it has another CAS and stays, and one that was written before is named in what we read after it.
        """
        found = self.wire.read(map(str, candids.tolist()))
        keys = np.array(sorted(map(int, found)), np.int64)
        for other, entry in self.catalogue().items():
            if other != tarball and len(keys):
                keys = np.setdiff1d(keys, self._all_candids(entry, keys))
        self.wire.delete({str(key): found[str(key)].cas for key in keys.tolist()})

    def _all_candids(self, entry: Entry, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the candids of all lists of a tarball that may hold one of these."""
        parts = [part for generation in entry.others for _, part in self._open_list(generation)]
        if entry.sealed is not None and entry.sealed.first <= keys[-1] and keys[0] <= entry.sealed.last:
            parts.append(self.records(entry.sealed))
        candids: npt.NDArray[np.int64] = _sorted(parts)["candid"]
        return candids

    def _open_list(self, generation: str) -> list[tuple[int, Checksums]]:
        """Return the parts (with their numbers) of a list whose length nobody has noted."""
        parts: list[tuple[int, Checksums]] = []
        for start in count(0, _PARTS_AT_ONCE):
            keys = {number: part_key(generation, number) for number in range(start, start + _PARTS_AT_ONCE)}
            found = self.wire.read(keys.values())
            if not found:
                return parts
            for number, key in keys.items():
                if key in found:
                    part = self._part(key, found)
                    parts.append((number, np.empty(0, CHECKSUM) if isinstance(part, DamagedThumbnail) else part))
        raise AssertionError  # for the type checker: `count` does not end

    def _delete_list(self, keys: list[str]) -> None:
        """Delete the parts of a list, the last ones first, so that what is left can be found if this is killed."""
        for start in reversed(range(0, len(keys), _PARTS_AT_ONCE)):
            found = self.wire.read(keys[start : start + _PARTS_AT_ONCE])
            self.wire.delete({key: document.cas for key, document in found.items()})

    def _look(self) -> tuple[Catalogue, int | None]:
        found = self.wire.read([CATALOGUE]).get(CATALOGUE)
        if found is None:
            return {}, None
        return unpack_catalogue(found.content, self.wire.where), found.cas

    def _part(self, key: str, found: dict[str, Found]) -> Checksums | DamagedThumbnail:
        what = f"A list of thumbnails ({key}) in {self.wire.where}"
        if key not in found:
            return DamagedThumbnail(what, "it is not there")
        try:
            return unpack_part(found[key].content, what)
        except DamagedThumbnail as damage:
            return damage


def _sorted(parts: list[Checksums]) -> Checksums:
    records = np.concatenate([np.empty(0, CHECKSUM), *parts])
    return records[np.argsort(records["candid"], kind="stable")]
