"""Two ways from a message's bytes: ours, by the doors it really comes in at, and the floor.

The floor is one typed decode of what we read of a message, its amounts left as text and nothing made of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec

from venues.adapters import coinbase_advanced, coinbase_exchange
from venues.adapters.coinbase_advanced import feed as advanced
from venues.adapters.coinbase_exchange import feed as exchange
from venues.adapters.contract import Adapter, ApiKey, Surroundings
from venues.adapters.kit.rest import RestClient
from venues.adapters.kit.stream import Counted, Dialect
from venues.interface.types import OrderQuery
from venues.marketdata.assembler import Assembler

SYMBOL = "BTC-USD"
QUERY = OrderQuery(symbols=(SYMBOL,))
AROUND = Surroundings(now=lambda: datetime.now(UTC))
Read = Callable[[bytes], Any]


class Canned:
    """Stands where HTTP stands."""

    body = b""

    async def get(self, *_: object, **__: object) -> bytes:
        return self.body

    async def get_page(self, *_: object, **__: object) -> tuple[bytes, dict[str, str]]:
        return self.body, {}


def _answer(adapter: Adapter, ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Read:
    """Ask a client that has its answer at hand, without an event loop."""
    canned = Canned()
    client = adapter.build(config=adapter.live, key=None, around=AROUND)
    assert isinstance(client, RestClient)
    client._http = canned  # type: ignore[assignment]
    client._key = ApiKey("key", "secret")

    def read(body: bytes) -> Any:
        canned.body = body
        work = ask(client)
        try:
            work.send(None)
        except StopIteration as done:
            return done.value
        message = "it waited for something"
        raise RuntimeError(message)

    return read


def _stream(dialect: Dialect[Any]) -> Read:
    """Read one frame again and again, each time as the next one."""
    dialect.begin()
    dialect.is_ready = True

    def read(body: bytes) -> Any:
        if isinstance(dialect, Counted):
            dialect._counter.last = None
        elif isinstance(dialect, exchange.Trades):
            dialect._last.clear()
        return list(dialect.read(body))

    return read


_LISTENERS = {SYMBOL: [SYMBOL]}


def _advanced(kind: type[advanced.ChannelFeed[Any]]) -> Read:
    return _stream(kind(_LISTENERS, signer=None, around=AROUND))


def _exchange(kind: type[exchange.Feed[Any]]) -> Read:
    return _stream(kind([SYMBOL], AROUND))


READERS: dict[str, Read] = {
    "advanced book snapshot": _advanced(advanced.Books),
    "advanced book update": _advanced(advanced.Books),
    "advanced trades": _advanced(advanced.Trades),
    "advanced ticker": _advanced(advanced.Tickers),
    "advanced order": _advanced(advanced.Executions),
    "advanced orders by REST": _answer(
        coinbase_advanced.ADAPTER, lambda client: client.get_orders(QUERY)
    ),
    "advanced fills by REST": _answer(
        coinbase_advanced.ADAPTER, lambda client: client.get_fills(QUERY)
    ),
    "exchange book snapshot": _exchange(exchange.Books),
    "exchange book update": _exchange(exchange.Books),
    "exchange trades": _exchange(exchange.Trades),
    "exchange ticker": _exchange(exchange.Tickers),
    "exchange order": _exchange(exchange.Executions),
    "exchange orders by REST": _answer(
        coinbase_exchange.ADAPTER, lambda client: client.get_orders(QUERY)
    ),
    "exchange fills by REST": _answer(
        coinbase_exchange.ADAPTER, lambda client: client.get_fills(QUERY)
    ),
}


def hold(name: str, body: bytes) -> float:
    """Read a snapshot and put it into a new book: how long nothing else can run meanwhile.

    In this thread's own processor time, or other programs on the machine would be counted too.
    """
    assembler = Assembler(SYMBOL)
    began = time.thread_time()
    for event in READERS[name](body):
        assembler.apply(event)
    return time.thread_time() - began


def _kind(name: str, texts: str, **others: Any) -> Any:
    members = [(member, str) for member in texts.split()]
    return msgspec.defstruct(name, [*members, *others.items()], gc=False)


def _envelope(**event: Any) -> Any:
    inside = list[_kind("Event", "type", **event)]  # type: ignore[misc]
    return _kind("Envelope", "channel timestamp", sequence_num=int, events=inside)


_LEVEL = _kind("Level", "side price_level new_quantity")
_TRADE = _kind("Trade", "trade_id product_id price size side time")
_TICKER = _kind("Ticker", "product_id price best_bid best_bid_quantity best_ask best_ask_quantity")
_USER_ORDER = _kind(
    "UserOrder",
    "order_id client_order_id product_id order_side order_type status limit_price"
    " cumulative_quantity leaves_quantity avg_price filled_value total_fees creation_time"
    " cancel_reason reject_reason",
)
_ORDER = _kind(
    "Order",
    "order_id product_id side status client_order_id created_time filled_size filled_value"
    " average_filled_price total_fees order_type reject_reason reject_message cancel_message",
    pending_cancel=bool,
    order_configuration=dict[str, _kind("Terms", "base_size limit_price")],
)
_FILL = _kind(
    "Fill",
    "entry_id order_id product_id side price size trade_time commission trade_type"
    " liquidity_indicator",
    size_in_quote=bool,
)
_PAIR = tuple[str, str]
FLOORS: dict[str, Any] = {
    "advanced book snapshot": _envelope(product_id=str, updates=list[_LEVEL]),
    "advanced book update": _envelope(product_id=str, updates=list[_LEVEL]),
    "advanced trades": _envelope(trades=list[_TRADE]),
    "advanced ticker": _envelope(tickers=list[_TICKER]),
    "advanced order": _envelope(orders=list[_USER_ORDER]),
    "advanced orders by REST": _kind("Orders", "cursor", orders=list[_ORDER], has_next=bool),
    "advanced fills by REST": _kind("Fills", "cursor", fills=list[_FILL]),
    "exchange book snapshot": _kind(
        "Snapshot", "type product_id time", bids=list[_PAIR], asks=list[_PAIR]
    ),
    "exchange book update": _kind(
        "Update", "type product_id time", changes=list[tuple[str, str, str]]
    ),
    "exchange trades": _kind("Match", "type product_id price size side time", trade_id=int),
    "exchange ticker": _kind(
        "Ticker", "type product_id price best_bid best_bid_size best_ask best_ask_size time"
    ),
    "exchange order": _kind(
        "Received", "type product_id order_id client_oid side order_type size price time"
    ),
    "exchange orders by REST": list[
        _kind(
            "Order",
            "id product_id side status type client_oid size price filled_size executed_value"
            " fill_fees created_at",
        )
    ],
    "exchange fills by REST": list[
        _kind(
            "Fill",
            "order_id product_id side price size created_at fee liquidity",
            trade_id=int,
        )
    ],
}
