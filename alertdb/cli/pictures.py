"""Files that pictures are drawn into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import PictureUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ANIMATIONS", "check_picture"]

PICTURES = (".png", ".pdf", ".svg")
ANIMATIONS = (".gif",)


def check_picture(file: Path, kinds: Sequence[str] = PICTURES) -> None:
    """Refuse a file name that does not end in one of these kinds of pictures."""
    if file.suffix.lower() not in kinds:
        raise PictureUnknown(file, kinds)
