"""Which members of a tarball are packets, judged by type, name and size, and how a name is shown."""

from __future__ import annotations

__all__ = ["MAX_PACKET", "is_passed_over", "shown", "why_rejected"]

MAX_PACKET = 8 << 20  # bytes; a packet of ZTF has 60 to 90 KB
MAX_NAME = 4096  # bytes; longest path that Linux knows

_REGULAR = {b"0", b"\0", b"7"}
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}


def is_passed_over(name: bytes, kind: bytes) -> bool:
    """Tell the members that every honest tarball may hold beside its packets."""
    if kind not in _REGULAR:
        return kind == b"5"
    if name[-1:] == b"/":
        return kind == b"\0"  # how tars of the seventies wrote a folder
    base = name.rpartition(b"/")[2]
    return base == b"MD5SUMS" or base.startswith(b"._")  # macOS writes the latter


def why_rejected(name: bytes, kind: bytes, size: int) -> str | None:
    """Say why a member is no packet; None if it is one as far as type, name and size tell."""
    if kind not in _REGULAR:
        return f"it is {_KINDS.get(kind, f'of the unknown type {kind!r}')}; a packet is a regular file"
    if size > MAX_PACKET:
        return f"it has {size} bytes; a packet has at most {MAX_PACKET}"
    return _why_name_rejected(name)


def _why_name_rejected(name: bytes) -> str | None:
    if name[:1] == b"/":
        return "its name is absolute; a packet's is relative"
    if b".." in name and b".." in name.replace(b"\\", b"/").split(b"/"):
        return "its name leads out of the tarball (..)"
    if not name.endswith(b".avro"):
        return "its name does not end in .avro"
    if len(name) > MAX_NAME:
        return f"its name has {len(name)} bytes; at most {MAX_NAME} are possible"
    return None


def shown(name: bytes) -> str:
    r"""Make a name fit to print on one line: ``b"a\n\xff.avro"`` becomes ``a\n\xff.avro``."""
    text = name[:MAX_NAME].decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
