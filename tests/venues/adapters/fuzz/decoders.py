"""Every door a venue's bytes come in by, for each adapter: its client's methods and its streams.

The clients are the real ones; only what carries bytes to them is replaced. So a refused message is
looked for where the product would look for it, in the drift report.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.venues.adapters.fuzz import samples
from tests.venues.adapters.fuzz.judging import Decoder, Sink, finish
from venues.adapters import coinbase_advanced, coinbase_exchange
from venues.adapters.coinbase_advanced import feed as advanced_feed
from venues.adapters.coinbase_advanced import orders as advanced_orders
from venues.adapters.coinbase_exchange import feed as exchange_feed
from venues.adapters.coinbase_exchange import orders as exchange_orders
from venues.adapters.contract import Adapter, ApiKey, Surroundings
from venues.adapters.kit.channels import ChannelFeed
from venues.adapters.kit.rest import RestClient
from venues.adapters.kit.stream import Dialect, Follower
from venues.interface.types import OrderQuery, OrderRef, OrderRequest, OrderType, Side

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SYMBOL = "BTC-USD"
REF = OrderRef(symbol=SYMBOL, client_order_id=samples.CLIENT_ID, venue_order_id="1")
QUERY = OrderQuery(symbols=(SYMBOL,))
REQUEST = OrderRequest(
    client_order_id=samples.CLIENT_ID,
    symbol=SYMBOL,
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal(1),
    limit_price=Decimal(1),
)
Ask = Callable[[Any], Awaitable[Any]]


class Canned:
    """Stands where HTTP stands and answers everything with the same bytes."""

    def __init__(self) -> None:
        self.body = b""

    async def get(self, *_: object, **__: object) -> bytes:
        return self.body

    post = delete = get

    async def get_page(self, *_: object, **__: object) -> tuple[bytes, dict[str, str]]:
        return self.body, {"CB-AFTER": "next"}


def _answer(adapter: Adapter, sample: Any, ask: Ask) -> Decoder:
    sink, canned = Sink([]), Canned()
    around = Surroundings(now=lambda: NOW, on_drift=sink)
    client = adapter.build(config=adapter.live, key=None, around=around)
    assert isinstance(client, RestClient)
    client._http = canned  # type: ignore[assignment]
    client._key = ApiKey("key", "secret")

    def read(body: bytes) -> Any:
        canned.body = body
        return finish(ask(client))  # type: ignore[arg-type]

    return Decoder(sample, read, sink, around.noticed)


def _stream(sample: Any, dialect: Callable[[Surroundings], Dialect[Any]]) -> Decoder:
    """Follow one connection for each message, so that no number is an old one."""
    sink = Sink([])
    around = Surroundings(now=lambda: NOW, on_drift=sink)
    follower = Follower("ws://127.0.0.1:1", dialect(around))

    def read(body: bytes) -> Any:
        follower.dialect.begin()
        return finish(follower.take(body))

    return Decoder(sample, read, sink, around.noticed)


def _refusal(sample: Any, read_refusal: Callable[[int, bytes], Any]) -> Decoder:
    return Decoder(sample, lambda body: read_refusal(400, body), Sink([]))


def _advanced() -> dict[str, Decoder]:
    adapter, listeners = coinbase_advanced.ADAPTER, {SYMBOL: [SYMBOL]}

    def stream(kind: type[ChannelFeed[Any]], sample: Any) -> Decoder:
        return _stream(sample, lambda around: kind(listeners, signer=None, around=around))

    one = samples.ADVANCED
    return {
        "time": _answer(adapter, one["time"], lambda client: client._venue_time()),
        "order": _answer(adapter, one["order"], lambda client: client.get_order(REF)),
        "orders": _answer(adapter, one["orders"], lambda client: client.get_orders(QUERY)),
        "fills": _answer(adapter, one["fills"], lambda client: client.get_fills(QUERY)),
        "accounts": _answer(adapter, one["accounts"], lambda client: client.get_balance()),
        "rights": _answer(adapter, one["rights"], lambda client: client.get_key_rights()),
        "book": _answer(adapter, one["book"], lambda client: client.get_order_book(SYMBOL, 50)),
        "products": _answer(adapter, one["products"], lambda client: client.get_instruments()),
        "created": _answer(adapter, one["created"], lambda client: client.place_order(REQUEST)),
        "cancelled": _answer(adapter, one["cancelled"], lambda client: client.cancel_order(REF)),
        "error": _refusal(one["error"], advanced_orders.read_refusal),
        "stream level2": stream(advanced_feed.Books, one["level2"]),
        "stream heartbeats": stream(advanced_feed.Books, one["heartbeats"]),
        "stream trades": stream(advanced_feed.Trades, one["trades"]),
        "stream ticker": stream(advanced_feed.Tickers, one["ticker"]),
        "stream user": stream(advanced_feed.Executions, one["user"]),
    }


def _exchange() -> dict[str, Decoder]:
    adapter = coinbase_exchange.ADAPTER

    def stream(kind: type[exchange_feed.Feed[Any]], sample: Any) -> Decoder:
        return _stream(sample, lambda around: kind([SYMBOL], around))

    one = samples.EXCHANGE
    return {
        "time": _answer(adapter, one["time"], lambda client: client._venue_time()),
        "order": _answer(adapter, one["order"], lambda client: client.get_order(REF)),
        "orders": _answer(adapter, [one["order"]] * 2, lambda client: client.get_orders(QUERY)),
        "fills": _answer(adapter, [one["fill"]] * 2, lambda client: client.get_fills(QUERY)),
        "accounts": _answer(adapter, one["accounts"], lambda client: client.get_balance()),
        "fees": _answer(adapter, one["fees"], lambda client: client.get_fees()),
        "book": _answer(adapter, one["book"], lambda client: client.get_order_book(SYMBOL, 50)),
        "products": _answer(adapter, one["products"], lambda client: client.get_instruments()),
        "created": _answer(adapter, one["order"], lambda client: client.place_order(REQUEST)),
        "cancelled": _answer(adapter, "1", lambda client: client.cancel_order(REF)),
        "error": _refusal(one["error"], exchange_orders.read_refusal),
        "stream snapshot": stream(exchange_feed.Books, one["snapshot"]),
        "stream update": stream(exchange_feed.Books, one["update"]),
        "stream match": stream(exchange_feed.Trades, one["match"]),
        "stream heartbeat": stream(exchange_feed.Trades, one["heartbeat"]),
        "stream ticker": stream(exchange_feed.Tickers, one["ticker"]),
        "stream received": stream(exchange_feed.Executions, one["received"]),
        "stream done": stream(exchange_feed.Executions, one["done"]),
    }


DECODERS = {
    f"{venue} {name}": decoder
    for venue, table in (("coinbase_advanced", _advanced()), ("coinbase_exchange", _exchange()))
    for name, decoder in table.items()
}
