"""Coinbase Advanced, simulated: its REST and its two sockets over one exchange."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from venues.simulator.coinbase_advanced.limits import LIMITS
from venues.simulator.coinbase_advanced.products import FEES, PRODUCTS, STREETS
from venues.simulator.coinbase_advanced.rest import Rest
from venues.simulator.coinbase_advanced.signing import Doorkeeper
from venues.simulator.coinbase_advanced.stream import Hub
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Faults
from venues.simulator.keys import KeyRing
from venues.simulator.market import SyntheticMarket
from venues.simulator.settlement import seeded_ids
from venues.simulator.store import Store
from venues.simulator.terms import PublicTrade
from venues.simulator.web import Request, Response, Socket

SLUG: Final = "coinbase_advanced"
_TAPE: Final = 200


class CoinbaseAdvanced:
    """One simulated venue, as the app knows it."""

    limits = LIMITS

    def __init__(
        self, *, data_dir: Path, seed: int, now: Callable[[], datetime], faults: Faults
    ) -> None:
        store = Store(data_dir / f"{SLUG}.sqlite3")
        marks = store.load().marks
        markets = {
            street.symbol: SyntheticMarket(street, seed, price=marks.get(street.symbol))
            for street in STREETS
        }
        self.exchange = Exchange(
            products=PRODUCTS,
            markets=markets,
            fees=FEES,
            store=store,
            now=now,
            new_id=seeded_ids(SLUG, seed, now()),
        )
        keys = KeyRing(data_dir, SLUG, lambda: now().timestamp())
        for key in keys.entries():
            self.exchange.open_account(key.account_ref, key.balances)
        self._tape: dict[str, deque[PublicTrade]] = {name: deque(maxlen=_TAPE) for name in markets}
        door = Doorkeeper(keys, lambda: now().timestamp())
        self._rest = Rest(self.exchange, door, now, self._tape, faults)
        self._hub = Hub(self.exchange, door, faults, now)
        self._faults = faults
        self._fills_noticed = len(self.exchange.fills)

    def answer(self, request: Request) -> Response:
        return self._rest.answer(request)

    def knows_socket(self, path: str) -> bool:
        return path in {"/ws", "/ws-user"}

    async def serve_socket(self, path: str, socket: Socket) -> None:
        await self._hub.serve(socket, is_user_socket=path == "/ws-user")

    def publish(self) -> None:
        for fill in self.exchange.fills[self._fills_noticed :]:
            self._faults.notice(fill)
        self._fills_noticed = len(self.exchange.fills)
        news = self.exchange.drain_news()
        for trade in news.trades:
            self._tape[trade.market].append(trade)
        self._hub.publish(news.trades, news.orders.values())

    def second(self) -> None:
        self._hub.second()
        self.exchange.mark()
