"""Harbour, simulated: a venue that exists nowhere, over the engine that all simulated venues share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from tests.venues.fictional.simulator.products import FEES, PRODUCTS, STREETS
from tests.venues.fictional.simulator.rest import LIMITS, Doorkeeper, Rest
from tests.venues.fictional.simulator.stream import Hub
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults
from venues.simulator.keys import KeyRing
from venues.simulator.market import SyntheticMarket
from venues.simulator.settlement import seeded_ids
from venues.simulator.store import Store
from venues.simulator.web import Request, Response, Socket

SLUG = "harbour"


class Harbour:
    """One simulated venue, as the app knows it."""

    limits = LIMITS

    def __init__(
        self, *, data_dir: Path, seed: int, now: Callable[[], datetime], faults: Faults
    ) -> None:
        self.exchange = Exchange(
            products=PRODUCTS,
            markets={street.symbol: SyntheticMarket(street, seed) for street in STREETS},
            fees=FEES,
            store=Store(data_dir / f"{SLUG}.sqlite3"),
            now=now,
            new_id=seeded_ids(SLUG, seed, now()),
        )
        keys = KeyRing(data_dir, SLUG, lambda: now().timestamp())
        for key in keys.entries():
            self.exchange.open_account(key.account_ref, key.balances)
        door = Doorkeeper(keys, self.exchange, now)
        self._rest = Rest(self.exchange, door, now)
        self._hub = Hub(self.exchange, door, faults)

    def answer(self, request: Request) -> Response:
        return self._rest.answer(request)

    def knows_socket(self, path: str) -> bool:
        return path == "/ws"

    async def serve_socket(self, path: str, socket: Socket) -> None:
        await self._hub.serve(socket)

    def publish(self) -> None:
        self._hub.publish(self.exchange.drain_news())

    def second(self) -> None:
        self._hub.second()
