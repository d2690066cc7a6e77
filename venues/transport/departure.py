"""Follows one request on its way out, by the events of httpx's `trace` extension.

Two moments matter. From the first byte of the headers on, a call can no longer be called unsent,
whatever the error is named. And when the last byte of the body is written the next call may be
built, for nothing can overtake this one any more on the way to the socket.

A wire that tells no events (a test's, an ASGI app) leaves both unsaid: errors are then judged by
their kind, and the gate opens with the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class Departure:
    def __init__(self, on_written: Callable[[], Awaitable[None]] | None = None) -> None:
        self._on_written = on_written
        self.has_begun = False

    async def __call__(self, event: str, _details: object) -> None:
        if event.endswith("send_request_headers.started"):
            self.has_begun = True
        elif event.endswith("send_request_body.complete") and self._on_written is not None:
            await self._on_written()
