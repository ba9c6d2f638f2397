"""What a decoder knows of each writer's schema, made once and kept, refusals included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ingest.decoding.container import BadPacket
from ingest.decoding.limits import MAX_HEADERS
from ingest.decoding.schema import read_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.decoding.schema import RecordType

__all__ = ["Plans"]

Plan = TypeVar("Plan")


class Plans(Generic[Plan]):
    """Keeps what `make` makes of each schema.

    Parameters
    ----------
    make
        Makes a plan of a schema's tree; raises `BadPacket` where it cannot.
    """

    def __init__(self, make: Callable[[RecordType], Plan]) -> None:
        self._make = make
        self._plans: dict[bytes, Plan | BadPacket] = {}

    def get(self, schema: bytes) -> Plan:
        """Return the plan of a schema, given as JSON.

        Raises
        ------
        BadPacket
            If packets of this schema cannot be decoded.
        """
        if schema not in self._plans:
            if len(self._plans) == MAX_HEADERS:
                del self._plans[next(iter(self._plans))]
            self._plans[schema] = self._try(schema)
        plan = self._plans[schema]
        if isinstance(plan, BadPacket):
            raise BadPacket(str(plan))
        return plan

    def clear(self) -> None:
        """Forget all plans."""
        self._plans.clear()

    def _try(self, schema: bytes) -> Plan | BadPacket:
        try:
            return self._make(read_schema(schema))
        except BadPacket as bad:
            return bad
