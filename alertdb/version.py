"""Which alertdb this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["installed_version"]


def installed_version() -> str:
    """Return the version of the installed package, or say that there is none."""
    try:
        return version("alertdb")
    except PackageNotFoundError:
        return "(not installed, running from a checkout)"
