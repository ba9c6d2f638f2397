"""What can stand against serving metrics."""

from __future__ import annotations

from alertdb.errors import AlertdbError, UsageError

__all__ = ["BadListenAddress", "MetricsNotServed"]


class BadListenAddress(UsageError):
    """An address to listen at that is none."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"'{found}' is no address to listen at; expected HOST:PORT, such as 127.0.0.1:9170 or [::]:9170."
        )


class MetricsNotServed(AlertdbError):
    """The system does not let us listen there."""

    def __init__(self, listen: str, why: str) -> None:
        super().__init__(
            f"Metrics cannot be served at {listen}: {why}. Name another address by --listen, or stop who listens there."
        )
