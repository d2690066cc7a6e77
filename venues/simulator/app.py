"""The simulated venues as one ASGI app, each under its own path prefix, on one ticking clock.

`/<slug>/...` is the venue's own wire protocol; `/_control/...`, for this machine alone, makes
things go wrong on command. Nothing about the desk is known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from venues.simulator import coinbase_advanced, coinbase_exchange, control
from venues.simulator.coinbase_advanced.products import STEP_SECONDS
from venues.simulator.faults import AFTER, BEFORE, Faults, Kind
from venues.simulator.limits import Throttle
from venues.simulator.metrics import SOCKETS, counted
from venues.simulator.scenario import Director
from venues.simulator.server import free_socket, make_server, run
from venues.simulator.web import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    SimulatedVenue,
    Socket,
    cut,
    read_request,
    send_response,
)

__all__ = ["VENUES", "Simulator", "free_socket", "make_server", "serve"]

log = logging.getLogger(__name__)


class MakesVenue(Protocol):
    def __call__(
        self, *, data_dir: Path, seed: int, now: Callable[[], datetime], faults: Faults
    ) -> SimulatedVenue: ...


# One line a venue.
VENUES: Final[Mapping[str, MakesVenue]] = {
    coinbase_advanced.SLUG: coinbase_advanced.CoinbaseAdvanced,
    coinbase_exchange.SLUG: coinbase_exchange.CoinbaseExchange,
}


class Simulator:
    """The ASGI app; `step` and `second` are called by its ticker or, in a test, by hand."""

    def __init__(  # noqa: PLR0913 -- each is turned by a test or by the command line
        self,
        data_dir: Path,
        seed: int,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        is_ticking: bool = True,
        venues: Iterable[str] | None = None,
        has_limits: bool = False,
        makers: Mapping[str, MakesVenue] = VENUES,
    ) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.now = now
        self.faults = Faults(now, seed)
        self.director = Director(self)
        self.venues = {
            slug: self._make(slug, makers[slug], data_dir, seed)
            for slug in (makers if venues is None else venues)
        }
        self._is_ticking = is_ticking
        self._throttles = {
            slug: Throttle(venue.limits, lambda: self.now().timestamp())
            for slug, venue in self.venues.items()
            if has_limits
        }

    def _make(self, slug: str, make: MakesVenue, data_dir: Path, seed: int) -> SimulatedVenue:
        faults = self.faults.of(slug)
        venue = make(
            data_dir=data_dir, seed=seed, now=lambda: self.now() + faults.skew(), faults=faults
        )
        venue.exchange.trouble = faults
        return venue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
        else:
            await self._serve_http(scope, receive, send)

    def step(self) -> None:
        """Let every street move once and tell whoever listens."""
        self.director.advance()
        for venue in self.venues.values():
            if not self.faults.is_frozen:
                venue.exchange.step()
            venue.publish()

    def second(self) -> None:
        for venue in self.venues.values():
            venue.second()

    def close(self) -> None:
        for venue in self.venues.values():
            venue.exchange.close()

    # Serving

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        slug = scope["path"].split("/")[1]
        send = counted(slug if slug in self.venues else "none", send)
        request = await read_request(scope, receive, f"/{slug}")
        if slug == control.PREFIX:
            await send_response(control.answer(self, scope, request), send)
            return
        venue = self.venues.get(slug)
        if venue is None:
            await send_response(Response(status=404, body=b"no such venue"), send)
            return
        faults = self.faults.of(slug)
        if await self._goes_wrong_before(venue, faults, request, send):
            return
        throttle = self._throttles.get(slug)
        refusal, headers = throttle.judge(request) if throttle else (None, {})
        if refusal is not None:
            await send_response(refusal.saying(headers), send)
            return
        reject = faults.take_http(frozenset({Kind.REJECT}), request.method, request.path)
        if reject is not None:
            request = request.rejected(reject.code)
        response = venue.answer(request).saying(headers)
        venue.publish()
        await self._send_or_fail(faults, request, response, send)

    async def _goes_wrong_before(
        self, venue: SimulatedVenue, faults: Faults, request: Request, send: Send
    ) -> bool:
        fault = faults.take_http(BEFORE, request.method, request.path)
        if fault is None:
            return False
        if fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
            return False
        if fault.kind is Kind.TIMEOUT_BEFORE:
            await asyncio.sleep(fault.seconds)
        if fault.kind in {Kind.CUT_BEFORE, Kind.TIMEOUT_BEFORE}:
            await cut(send)
        elif fault.kind is Kind.RATE_LIMIT:
            refusal = venue.limits.refusal(request)
            await send_response(refusal.saying(_wait(fault.wait(faults.now()))), send)
        else:
            await send_response(_page(fault.status), send)
        return True

    async def _send_or_fail(
        self, faults: Faults, request: Request, response: Response, send: Send
    ) -> None:
        fault = faults.take_http(AFTER, request.method, request.path)
        if fault is None:
            await send_response(response, send)
        elif fault.kind is Kind.CUT_AFTER:
            await cut(send)
        elif fault.kind is Kind.GARBAGE_AFTER:
            await send_response(_page(200), send)
        else:
            await send_response(_page(fault.status), send)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        slug, _, rest = scope["path"].lstrip("/").partition("/")
        venue = self.venues.get(slug)
        if venue is None or not venue.knows_socket(f"/{rest}"):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        with SOCKETS.labels(slug).track_inprogress():
            await venue.serve_socket(f"/{rest}", Socket(receive, send))

    # Living

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        ticker = asyncio.create_task(self._tick()) if self._is_ticking else None
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if ticker is not None:
            ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticker
        self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        next_second = loop.time() + 1
        while True:
            await asyncio.sleep(STEP_SECONDS)
            try:
                self.step()
                if loop.time() >= next_second:
                    next_second = loop.time() + 1
                    self.second()
            except Exception:
                log.exception("the street stumbled; it goes on")


def _wait(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": f"{seconds:g}"}


def _page(status: int) -> Response:
    return Response(
        status=status, body=b"<html><body>Bad Gateway</body></html>", content_type="text/html"
    )


def serve(  # noqa: PLR0913 -- each is a word of the command line
    host: str,
    port: int,
    data_dir: Path,
    seed: int,
    *,
    tls_port: int = 0,
    venues: Iterable[str] | None = None,
    scenario: str = "",
    has_limits: bool = True,
) -> None:
    app = Simulator(data_dir, seed, venues=venues, has_limits=has_limits)
    if scenario:
        app.director.start(scenario)
    run(app, host, port, data_dir=data_dir, tls_port=tls_port)
