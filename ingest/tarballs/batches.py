"""What reading yields: many packets in one buffer; and the buffers, used again once nobody looks at them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Batch", "Buffers", "Found", "Reject"]


class Reject(NamedTuple):
    """A member that is no packet: its name (escaped where unprintable), where its header stands, and why."""

    name: str
    position: int
    reason: str


@dataclass(frozen=True)
class Batch:
    """Some packets: packet `i` is ``buffer[starts[i]:ends[i]]``.

    Attributes
    ----------
    buffer
        Bytes of the packets, and tar headers between them. It is used again when nothing refers to it any more,
        so a slice, a memoryview or an array over it keeps it as it is.
    starts, ends
        Shape (n,), offsets into `buffer`.
    names
        Name of each member, at most 4096 bytes long, unprintable characters escaped.
    positions
        Shape (n,), where each member's header begins in the unpacked tar; 0 for a file that lies in a folder.
    rejects
        The members met on the way that are no packets.
    """

    buffer: memoryview
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    names: list[str]
    positions: npt.NDArray[np.int64]
    rejects: list[Reject]

    def __len__(self) -> int:
        return len(self.names)


@dataclass
class Found:
    """A batch in the making."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names) + len(self.rejects)

    def add(self, name: str, position: int, start: int, end: int) -> None:
        """Take in the packet at ``start:end`` of the buffer."""
        self.names.append(name)
        self.positions.append(position)
        self.starts.append(start)
        self.ends.append(end)

    def batch(self, view: memoryview) -> Batch:
        """Make the batch of what was found in `view`."""
        starts, ends, positions = (
            np.array(values, dtype=np.int64) for values in (self.starts, self.ends, self.positions)
        )
        return Batch(view, starts, ends, self.names, positions, self.rejects)


def _references(buffers: list[npt.NDArray[np.uint8]], index: int) -> int:
    return sys.getrefcount(buffers[index])


_UNUSED = _references([np.empty(1, dtype=np.uint8)], 0)


class Buffers:
    """Buffers that come back by themselves.

    Fresh memory costs page faults, so a buffer is used again. A view or an array over it holds a reference to it: a
    buffer to which only this list refers is free.
    """

    def __init__(self) -> None:
        self._buffers: list[npt.NDArray[np.uint8]] = []

    def take(self, size: int) -> memoryview:
        """Give `size` or more bytes that nobody uses; their content is arbitrary."""
        for index in reversed(range(len(self._buffers))):
            if _references(self._buffers, index) == _UNUSED:
                if self._buffers[index].size >= size:
                    return self._buffers[index].data
                del self._buffers[index]
        buffer = np.empty(size, dtype=np.uint8)
        self._buffers.append(buffer)
        return buffer.data
