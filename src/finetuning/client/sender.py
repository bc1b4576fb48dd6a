"""What every verb stands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from finetuning import protocol
from finetuning.transport import Answer, Transport

__all__ = ["Progress", "Sender"]

T = TypeVar("T")
#: Called with how many are done and how many there are, None where nobody knows.
Progress: TypeAlias = Callable[[int, int | None], None]


class Sender:
    """Sends the requests of `protocol` through one transport."""

    _transport: Transport

    async def send(self, request: protocol.Request[T]) -> Answer[T]:
        """Send any request of `protocol`; the answer holds the record and the raw body."""
        return await self._transport.send(request)

    async def _value(self, request: protocol.Request[T]) -> T:
        return (await self._transport.send(request)).value
