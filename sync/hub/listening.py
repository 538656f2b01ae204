"""Patience with slow lines has an end: whoever opens a connection and says nothing, or stops in the middle, is let go.

Laptops on the worst of lines send something every few seconds; a stranger who holds a thousand connections open without finishing
one request would shut everybody else out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_S: Final = 30  # for the head of a request
IDLE_S: Final = 120  # without one byte of a body


class Patient(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """uvicorn's own protocol, with an end to the wait for a request's head."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._rest()  # the head is there; what follows is bounded by whoever reads it
        elif self._late is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


async def piece(receive: Callable[[], Awaitable[Any]]) -> Any:
    """The next piece of a request. ClientDisconnect when nothing of it comes for too long."""
    try:
        return await asyncio.wait_for(receive(), IDLE_S)
    except TimeoutError:
        raise ClientDisconnect from None
