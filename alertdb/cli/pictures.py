"""Files that pictures are drawn into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import PictureUnknown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_picture"]

PICTURES = (".png", ".pdf", ".svg")


def check_picture(file: Path) -> None:
    """Refuse a file name that does not say what kind of picture is meant."""
    if file.suffix.lower() not in PICTURES:
        raise PictureUnknown(file, PICTURES)
