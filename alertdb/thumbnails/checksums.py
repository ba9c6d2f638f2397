"""What tells two tarballs' thumbnails apart, whichever store they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["CHECKSUM", "Checksums"]

CHECKSUM = np.dtype([("candid", "<i8"), ("size", "<u4"), ("crc32", "<u4")])  # size in bytes
Checksums: TypeAlias = "npt.NDArray[np.void]"
