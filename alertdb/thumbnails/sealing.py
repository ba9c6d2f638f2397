"""Writers as context managers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["SealsAtEnd"]


class SealsAtEnd(ABC):
    """A writer that seals when its ``with`` block ends well, and discards what was put when it does not."""

    @abstractmethod
    def seal(self) -> None:
        """Make all documents durable and visible."""

    @abstractmethod
    def discard(self) -> None:
        """Forget everything put so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
            return
        try:
            self.seal()
        except BaseException:
            self.discard()
            raise
