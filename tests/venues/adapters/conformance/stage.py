"""One adapter, the venue it talks to over real sockets, and the hand that makes things go wrong.

A further venue is one more entry of `STAGES`; every scenario then runs on it. `FICTIONAL` is a venue
that the product does not have: it plays every scenario too, and is registered here and nowhere else.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.venues.fictional.adapter import ADAPTER as HARBOUR
from tests.venues.fictional.simulator import Harbour
from venues.adapters.contract import Adapter, Noticed
from venues.adapters.registry import ADAPTERS, ApiKey, Surroundings, VenueConfig
from venues.interface.types import (
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderType,
    Side,
    StreamReset,
)
from venues.simulator.app import VENUES, MakesVenue, Simulator, free_socket, make_server
from venues.simulator.demo_keys import (
    DemoKey,
    generate_demo_key,
    generate_older_key,
    generate_shared_key,
    register_key,
)
from venues.simulator.exchange import Exchange
from venues.simulator.faults import Fault, Kind
from venues.transport.http import Patience, Seams
from venues.transport.websocket import Persistence

SYMBOL, OTHER = "BTC-USD", "ETH-USD"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What differs between venues when the same scenario is played."""

    make_key: Callable[..., DemoKey]
    sockets: tuple[str, str]  # market data, own orders
    books: str  # the name the simulator knows the channel under
    trades: str
    orders: str
    counts_book_messages: bool  # a lost book message can be noticed
    unknown_status: tuple[bytes, bytes]  # a word of the venue's, and one it might invent
    cancels_with: str = "POST"
    adapter: Adapter | None = None  # those of a venue the product does not have
    simulated: MakesVenue | None = None


STAGES: Mapping[str, Stage] = {
    "coinbase_advanced": Stage(
        make_key=generate_demo_key,
        sockets=("/ws", "/ws-user"),
        books="l2_data",
        trades="market_trades",
        orders="user",
        counts_book_messages=True,
        unknown_status=(b'"status":"OPEN"', b'"status":"DREAMING"'),
    ),
    "coinbase_exchange": Stage(
        make_key=generate_shared_key,
        sockets=("/ws", "/ws"),
        books="level2_batch",
        trades="matches",
        orders="user",
        counts_book_messages=False,
        unknown_status=(b'"status":"open"', b'"status":"dreaming"'),
        cancels_with="DELETE",
    ),
}

# Venues whose keys come in two kinds, with the other one.
OTHER_KEYS: Mapping[str, Stage] = {
    "coinbase_advanced": replace(STAGES["coinbase_advanced"], make_key=generate_older_key),
}

FICTIONAL: Mapping[str, Stage] = {
    "harbour": Stage(
        make_key=partial(generate_shared_key, venue="harbour"),
        sockets=("/ws", "/ws"),
        books="book",
        trades="trades",
        orders="orders",
        counts_book_messages=True,
        unknown_status=(b'"state":"resting"', b'"state":"dreaming"'),
        cancels_with="DELETE",
        adapter=HARBOUR,
        simulated=Harbour,
    ),
}


async def no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Desk:
    slug: str
    app: Simulator
    key: DemoKey
    config: VenueConfig
    data_dir: Path
    stage: Stage
    drift: list[tuple[str, str]] = field(default_factory=list)
    client: Any = None

    @property
    def adapter(self) -> Adapter:
        return self.stage.adapter or ADAPTERS[self.slug]

    @property
    def capabilities(self) -> Any:
        return self.adapter.capabilities

    @property
    def exchange(self) -> Exchange:
        return self.app.venues[self.slug].exchange

    def connect(self, key: DemoKey | None = None, **changes: Any) -> Any:
        key = key or self.key
        around = Surroundings(
            patience=Patience(first_delay_seconds=0.001),
            persistence=Persistence(sleep=no_wait, idle_seconds=2.0),
            on_drift=lambda kind, detail: self.drift.append((kind, detail)),
            noticed=Noticed(every=1),  # nothing is left unlooked at
        )
        return self.adapter.build(
            config=self.config,
            key=ApiKey(key.key_id, key.secret, key.more),
            around=replace(around, **changes),
        )

    def strangers(self) -> list[str]:
        """Return the members that were reported as unknown."""
        return [detail for kind, detail in self.drift if kind == "unknown field"]

    def fail(self, kind: Kind, **terms: Any) -> None:
        self.app.faults.add(Fault(kind=kind, **terms))

    def limit(self, **changes: Any) -> OrderRequest:
        """Write a limit order that rests far below the market."""
        order = OrderRequest(
            client_order_id=str(uuid.uuid4()),
            symbol=SYMBOL,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Decimal("0.5"),
            limit_price=Decimal("60000.00"),
        )
        return replace(order, **changes)

    def market(self, **changes: Any) -> OrderRequest:
        return self.limit(order_type=OrderType.MARKET, limit_price=None, **changes)

    def best(self, side: Side) -> tuple[Decimal, Decimal]:
        """Read price and size of the best level a taker of this side meets."""
        bids, asks = self.exchange.book(SYMBOL)
        level = (asks if side is Side.BUY else bids)[0]
        return level.price, level.quantity

    async def fills(self, **terms: Any) -> list[Any]:
        """Read every page of a listing of fills."""
        found: list[Any] = []
        query = OrderQuery(**{"symbols": (SYMBOL, OTHER), **terms})
        while True:
            page = await self.client.get_fills(query)
            found += page.items
            if not page.cursor:
                return found
            query = replace(query, cursor=page.cursor)

    async def orders(self, **terms: Any) -> list[Any]:
        found: list[Any] = []
        query = OrderQuery(**{"symbols": (SYMBOL,), **terms})
        while True:
            page = await self.client.get_orders(query)
            found += page.items
            if not page.cursor:
                return found
            query = replace(query, cursor=page.cursor)

    async def listening(self, channel: str) -> None:
        """Wait until the venue has taken a subscription in."""
        name = {"l2_data": "level2"}.get(channel, channel)
        hub: Any = self.app.venues[self.slug]._hub  # type: ignore[attr-defined]
        async with asyncio.timeout(3):
            while not any(name in one._subscribed for one in hub.connections):
                await asyncio.sleep(0.002)


def ref(request: OrderRequest, venue_order_id: str = "") -> OrderRef:
    return OrderRef(
        symbol=request.symbol,
        client_order_id=request.client_order_id,
        venue_order_id=venue_order_id,
        side=request.side,
    )


@asynccontextmanager
async def staged(slug: str, folder: Path, stage: Stage | None = None) -> AsyncIterator[Desk]:
    """Run the simulator on a free port, its time standing still until a scenario moves it."""
    stage = stage or {**STAGES, **FICTIONAL}[slug]
    key = stage.make_key()
    register_key(folder, key.entry)
    makers = {**VENUES, slug: stage.simulated} if stage.simulated else VENUES
    app = Simulator(folder, 1, is_ticking=False, makers=makers)
    bound = free_socket()
    server = make_server(app, "127.0.0.1", bound.getsockname()[1])
    running = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:
        await asyncio.sleep(0.005)
    base = f"127.0.0.1:{bound.getsockname()[1]}/{slug}"
    market, user = stage.sockets
    config = VenueConfig(
        rest_url=f"http://{base}", ws_url=f"ws://{base}{market}", ws_user_url=f"ws://{base}{user}"
    )
    desk = Desk(slug, app, key, config, folder, stage)
    desk.client = desk.connect()
    try:
        yield desk
    finally:
        await desk.client.aclose()
        server.should_exit = True
        await running


class Rewriting(httpx.AsyncHTTPTransport):
    """A wire on which one word of every answer is another one."""

    def __init__(self, old: bytes, new: bytes) -> None:
        super().__init__()
        self._old, self._new = old, new

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        body = (await response.aread()).replace(self._old, self._new)
        await response.aclose()
        headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=body)


class Counting(httpx.AsyncHTTPTransport):
    """A wire that counts what leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        return await super().handle_async_request(request)


def rewriting(old: bytes, new: bytes) -> Seams:
    return Seams(wire=Rewriting(old, new))


class Tape:
    """Reads a stream in the background so that a scenario can wait for what it expects."""

    def __init__(self, stream: Any) -> None:
        self.items: list[Any] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: Any) -> None:
        async with aclosing(stream) as events:
            async for event in events:
                self.items.append(event)
                self._news.set()

    async def until(self, holds: Callable[[list[Any]], Any]) -> None:
        async with asyncio.timeout(3):
            while not holds(self.items):
                self._news.clear()
                await self._news.wait()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def resets(self) -> list[str]:
        return [item.reason for item in self.items if isinstance(item, StreamReset)]
