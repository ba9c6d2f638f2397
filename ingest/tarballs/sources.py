"""What there is to load: from paths that the user names to one `Source` for each thing that loads as a whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alertdb.errors import SourceFolderEmpty, SourceMissing, SourceUnknown, SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Kind", "Source", "avro_files", "find_sources"]

Kind = Literal["tar.gz", "tar", "folder", "avro"]
_KINDS: dict[str, Kind] = {".tar.gz": "tar.gz", ".tgz": "tar.gz", ".tar": "tar", ".avro": "avro"}


@dataclass(frozen=True)
class Source:
    """One thing to load: a tarball, a folder of packets or a single packet.

    Attributes
    ----------
    name
        Name of the file or folder, without where it lies.
    bytes
        Size on disk; of a folder, the sum of its packets.
    """

    path: Path
    name: str
    kind: Kind
    bytes: int


def find_sources(paths: Iterable[Path]) -> list[Source]:
    """Find what to load, sorted by name, each thing once.

    A folder gives each tarball directly in it, and one source for all packets directly in it. Files whose name
    begins with a dot are left alone.

    Raises
    ------
    SourceMissing, SourceUnknown, SourceFolderEmpty, SourceUnreadable
        If a path holds nothing to load.
    """
    found: dict[Path, Source] = {}
    for path in paths:
        try:
            for source in _look(path):
                found.setdefault(source.path.resolve(), source)
        except OSError as error:
            raise SourceUnreadable(path, error.strerror or str(error)) from error
    return sorted(found.values(), key=lambda source: (source.name, source.path))


def avro_files(folder: Path) -> list[Path]:
    """Packets that lie directly in a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if _kind_of(path) == "avro")


def _look(path: Path) -> list[Source]:
    if path.is_dir():
        return list(_look_inside(path))
    if not path.exists():
        raise SourceMissing(path)
    if not path.is_file():
        raise SourceUnknown(path, "no regular file")
    kind = _KINDS.get(_ending(path.name) or "")
    if kind is None:
        raise SourceUnknown(path, "a file of another kind" if path.suffix else "a file without an ending")
    return [_file(path, kind)]


def _look_inside(folder: Path) -> Iterator[Source]:
    entries = sorted(folder.iterdir())
    kinds = {entry: _kind_of(entry) for entry in entries}
    packets = [entry for entry in entries if kinds[entry] == "avro"]
    tarballs = [_file(entry, kind) for entry, kind in kinds.items() if kind in ("tar.gz", "tar")]
    if not packets and not tarballs:
        raise SourceFolderEmpty(folder, _inventory(entries))
    if packets:
        size = sum(packet.stat().st_size for packet in packets)
        yield Source(folder, folder.resolve().name, "folder", size)
    yield from tarballs


def _file(path: Path, kind: Kind) -> Source:
    return Source(path, path.name, kind, path.stat().st_size)


def _kind_of(path: Path) -> Kind | None:
    ending = _ending(path.name)
    return _KINDS[ending] if ending and not path.name.startswith(".") and path.is_file() else None


def _ending(name: str) -> str | None:
    return next((ending for ending in _KINDS if name.endswith(ending)), None)


def _inventory(entries: list[Path]) -> str:
    """Tell what a folder holds, in words: `nothing`, or how many files of which ending."""
    kinds = Counter("folder" if entry.is_dir() else entry.suffix or "no ending" for entry in entries)
    return ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common(5)) or "nothing"
