"""What every store asks before it changes a tarball's thumbnails."""

from __future__ import annotations

import re

from alertdb.errors import BadTarballName, ReadOnlyThumbnails, UnknownRights
from alertdb.thumbnails import RIGHTS

__all__ = ["check_change"]

_TARBALL_NAME = re.compile(r"[^./\x00-\x1f\x7f][^/\x00-\x1f\x7f]*")


def check_change(where: object, tarball: str, rights: str, *, readonly: bool) -> None:
    """Do nothing if the store at `where` may change this tarball's documents of this rights class.

    Raises
    ------
    ReadOnlyThumbnails, UnknownRights, BadTarballName
        Raised if it may not.
    """
    if readonly:
        raise ReadOnlyThumbnails(where)
    if rights not in RIGHTS:
        raise UnknownRights(rights, RIGHTS)
    if not _TARBALL_NAME.fullmatch(tarball):
        raise BadTarballName(tarball)
