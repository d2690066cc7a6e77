"""This venue's socket: one subscription a connection, one counter for all its channels.

The venue counts every envelope of a connection from zero, heartbeats and acknowledgements
included. A jump means something was dropped, and there is no replay and no checksum: listeners
read again, and books are subscribed anew to get a new snapshot. A lower number is an old message.
Every connection subscribes to heartbeats, or a quiet market would look like a dead socket; for a
book they are empty updates, proof that nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.normalizer import (
    STATUSES,
    read_level2,
    read_ticker,
    read_trade,
    read_user_order,
)
from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Unreadable, decode, list_of, moment
from venues.adapters.kit.stream import Counter, Dialect, Gap, Restart, Say
from venues.interface.types import (
    BookEvent,
    BookEventKind,
    OrderUpdate,
    Ticker,
    Trade,
)
from venues.transport.signer import CdpSigner

T = TypeVar("T")
# Which of the symbols a listener asked for one product id on the wire stands for.
Listeners = Mapping[str, Sequence[str]]

HEARTBEATS: Final = "heartbeats"
_ACKNOWLEDGEMENT: Final = "subscriptions"
_ACKNOWLEDGEMENTS: Final = list_of(wire.Subscriptions)
_LEVEL2_EVENTS: Final = list_of(wire.Level2Event)
_TRADES_EVENTS: Final = list_of(wire.TradesEvent)
_TICKERS_EVENTS: Final = list_of(wire.TickersEvent)
_USER_EVENTS: Final = list_of(wire.UserEvent)


class Feed(Dialect[T]):
    """Envelopes of one channel, in order and without gaps."""

    channel = ""  # what is subscribed to
    arrives_as = ""  # what its messages call themselves
    proof_is_data = False  # whether an acknowledgement alone proves nothing
    snapshot_on_gap = False

    def __init__(
        self, listeners: Listeners, *, signer: CdpSigner | None, around: Surroundings
    ) -> None:
        super().__init__(around)
        self.what = self.channel
        self._listeners = listeners
        self._signer = signer
        self._counter = Counter()

    def events(self, envelope: wire.Envelope) -> Iterable[T]:
        """Read what one envelope of this channel, or a heartbeat, means."""
        raise NotImplementedError

    def begin(self) -> None:
        super().begin()
        self._counter = Counter()

    def hello(self) -> list[str]:
        return [self._message("subscribe", self.channel), self._message("subscribe", HEARTBEATS)]

    def read(self, frame: bytes) -> Iterator[T | Gap | Say]:
        envelope = decode(frame, wire.Envelope)
        if envelope.type == "error":
            message = f"the venue refused the subscription: {envelope.message}"
            raise Restart(message)
        if envelope.sequence_num is None:
            self.drift("message without sequence", envelope.channel or envelope.type)
            return
        step = self._counter.take(envelope.sequence_num)
        if step is False:
            return
        if isinstance(step, Gap):
            yield step
            yield from self._ask_for_a_snapshot()
        if not self.is_ready and self._proves_subscription(envelope):
            self.is_ready = True
            if self.channel == "user":
                # An order may have ended between the connect and this moment: read from here.
                yield Gap("subscribed")
        yield from self.events(envelope)

    def _proves_subscription(self, envelope: wire.Envelope) -> bool:
        if envelope.channel == self.arrives_as:
            return True
        if envelope.channel != _ACKNOWLEDGEMENT or self.proof_is_data:
            return False
        try:
            said: list[wire.Subscriptions] = decode(envelope.events, _ACKNOWLEDGEMENTS)
        except Unreadable:
            return False
        return any(event.subscriptions.get(self.channel) for event in said)

    def _ask_for_a_snapshot(self) -> Iterator[Say]:
        if self.snapshot_on_gap:
            self.expect_proof()
            yield Say(self._message("unsubscribe", self.channel))
            yield Say(self._message("subscribe", self.channel))

    def _message(self, kind: str, channel: str) -> str:
        message: dict[str, object] = {"type": kind, "channel": channel}
        if self._listeners and channel != HEARTBEATS:
            message["product_ids"] = list(self._listeners)
        if self._signer is not None:
            message["jwt"] = self._signer.websocket_token()
        return msgspec.json.encode(message).decode()


class Books(Feed[BookEvent]):
    channel, arrives_as, proof_is_data, snapshot_on_gap = "level2", "l2_data", True, True

    def events(self, envelope: wire.Envelope) -> Iterable[BookEvent]:
        now = self.around.now()
        if envelope.channel == HEARTBEATS:
            return [
                BookEvent(
                    symbol=symbol,
                    kind=BookEventKind.UPDATE,
                    changes=(),
                    sequence=envelope.sequence_num,
                    venue_time=moment(envelope.timestamp),
                    received_at=now,
                )
                for symbols in self._listeners.values()
                for symbol in symbols
            ]
        if envelope.channel != self.arrives_as:
            return ()
        said: list[wire.Level2Event] = decode(envelope.events, _LEVEL2_EVENTS)
        return [
            read_level2(event, symbol, envelope, now)
            for event in said
            for symbol in self._listeners.get(event.product_id, ())
        ]


class Trades(Feed[Trade]):
    channel = arrives_as = "market_trades"

    def events(self, envelope: wire.Envelope) -> Iterable[Trade]:
        """Read one batch, oldest first, whichever way the venue sorted it."""
        if envelope.channel != self.arrives_as:
            return ()
        now = self.around.now()
        said: list[wire.TradesEvent] = decode(envelope.events, _TRADES_EVENTS)
        found = [
            read_trade(trade, symbol, now)
            for event in said
            for trade in event.trades
            for symbol in self._listeners.get(trade.product_id, ())
        ]
        return sorted(found, key=lambda trade: trade.venue_time)


class Tickers(Feed[Ticker]):
    channel = arrives_as = "ticker"

    def events(self, envelope: wire.Envelope) -> Iterable[Ticker]:
        if envelope.channel != self.arrives_as:
            return ()
        now = self.around.now()
        said: list[wire.TickersEvent] = decode(envelope.events, _TICKERS_EVENTS)
        return [
            read_ticker(ticker, symbol, envelope, now)
            for event in said
            for ticker in event.tickers
            for symbol in self._listeners.get(ticker.product_id, ())
        ]


class Executions(Feed[OrderUpdate]):
    channel = arrives_as = "user"

    def events(self, envelope: wire.Envelope) -> Iterable[OrderUpdate]:
        if envelope.channel != self.arrives_as:
            return
        now = self.around.now()
        said: list[wire.UserEvent] = decode(envelope.events, _USER_EVENTS)
        for event in said:
            for raw in event.orders or ():
                order = read_user_order(raw, now)
                if (status := str(order.raw.get("status"))) not in STATUSES:
                    self.drift("unknown order status", status[:80])
                yield OrderUpdate(
                    order=order, is_snapshot=event.type == "snapshot", received_at=now
                )
