"""Errors of light curves, thumbnails and quality pictures."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BadPeriod", "NothingToShow", "PackageMissing", "ReferenceMissing", "UnknownChoice"]


class UnknownChoice(UsageError):
    """A name that is none of those to choose from."""

    def __init__(self, what: str, chosen: object, known: Iterable[str]) -> None:
        names = list(known)
        near = get_close_matches(str(chosen), names, 1)
        hint = f" Nearest: {near[0]}." if near else ""
        super().__init__(f"There is no {what} {chosen!r}; expected one of {', '.join(names)}.{hint}")


class ReferenceMissing(UsageError):
    """Apparent magnitudes of a light curve that was read without the reference image's sources."""

    def __init__(self, columns: Iterable[str]) -> None:
        super().__init__(
            f"Apparent magnitudes need the columns {', '.join(columns)}; this light curve was read without them. "
            "Ask with db.lightcurve(…, reference=True)."
        )


class BadPeriod(UsageError):
    """A period that is no positive number of days."""

    def __init__(self, period: object) -> None:
        super().__init__(f"The period is {period!r}; expected a positive number of days, or a Quantity of time.")


class NothingToShow(AlertdbError):
    """A picture of nothing."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(f"There is nothing to draw: {what}. {hint}")


class PackageMissing(AlertdbError):
    """A package that only one function needs is not installed."""

    def __init__(self, package: str, function: str) -> None:
        super().__init__(f"{function} needs the package {package}, which is not installed: pip install {package}")
