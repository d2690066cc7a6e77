"""One subscription on one socket: hello, sequence, gaps, proof that it really began.

The venue counts every envelope of a connection from zero, heartbeats and acknowledgements
included, so one counter guards all. A jump means something was dropped: there is no replay and no
checksum, so listeners get a `StreamReset`, and books are subscribed anew to get a new snapshot.
A lower number is an old message and is left out.

A subscription counts as made only when its first data or its acknowledgement came, because a
refused one arrives as an ordinary message; until then a deadline runs. Every connection subscribes
to heartbeats, or a quiet market would look like a dead socket.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.normalizer import Unreadable, decode, list_of
from venues.adapters.contract import Surroundings
from venues.interface.types import StreamReset
from venues.transport.signer import CdpSigner
from venues.transport.websocket import Lost, Opened, WebSocketSession

HEARTBEATS: Final = "heartbeats"
LEVEL2: Final = "level2"
TRADES: Final = "market_trades"
USER: Final = "user"
READY_WITHIN_SECONDS: Final = 15.0

_BOOK_DATA: Final = "l2_data"
_ACKNOWLEDGEMENT: Final = "subscriptions"
_ACKNOWLEDGEMENTS: Final = list_of(wire.Subscriptions)


class Feed:
    """Envelopes of one channel, in order and without gaps, or a `StreamReset` between them."""

    def __init__(
        self,
        url: str,
        channel: str,
        product_ids: Sequence[str],
        *,
        signer: CdpSigner | None,
        around: Surroundings,
    ) -> None:
        self._channel = channel
        self._product_ids = list(product_ids)
        self._signer = signer
        self._around = around
        self._session = WebSocketSession(url, hello=self._hello, persistence=around.persistence)
        self._last: int | None = None
        self._is_ready = False
        self._deadline = 0.0

    def restart(self, reason: str) -> StreamReset:
        """Give the connection up: what it says can no longer be trusted."""
        self._session.drop(reason)
        return self._reset(reason)

    async def envelopes(self) -> AsyncGenerator[wire.Envelope | StreamReset, None]:
        async with aclosing(self._session.frames()) as frames:
            async for frame in frames:
                if isinstance(frame, Opened):
                    self._begin()
                    yield self._reset("connected")
                elif isinstance(frame, Lost):
                    yield self._reset(f"connection lost: {frame.reason}")
                else:
                    for item in await self._read(frame):
                        yield item

    def _begin(self) -> None:
        self._last = None
        self._expect_data()

    def _expect_data(self) -> None:
        self._is_ready = False
        self._deadline = self._around.persistence.stopwatch() + READY_WITHIN_SECONDS

    async def _read(self, frame: bytes) -> list[wire.Envelope | StreamReset]:
        try:
            envelope = decode(frame, wire.Envelope)
        except Unreadable as error:
            self._around.on_drift("unreadable message", str(error))
            return [self.restart(f"unreadable message: {error}")]
        if envelope.type == "error":
            return [self.restart(f"the venue refused the subscription: {envelope.message}")]
        if envelope.sequence_num is None:
            self._around.on_drift("message without sequence", envelope.channel or envelope.type)
            return []
        items: list[wire.Envelope | StreamReset] = []
        last, self._last = self._last, max(self._last or 0, envelope.sequence_num)
        if last is not None and envelope.sequence_num <= last:
            return []
        if last is not None and envelope.sequence_num > last + 1:
            reason = f"sequence gap: {envelope.sequence_num} after {last}"
            items.append(self._reset(reason))
            await self._resubscribe()
        items.extend(self._progress(envelope))
        items.append(envelope)
        return items

    def _progress(self, envelope: wire.Envelope) -> list[StreamReset]:
        """Note that the subscription works, or give up on one that never began."""
        if self._is_ready:
            return []
        if self._proves_subscription(envelope):
            self._is_ready = True
            # An order may have ended between the connect and this moment: read again from here.
            return [self._reset("subscribed")] if self._channel == USER else []
        if self._around.persistence.stopwatch() > self._deadline:
            return [self.restart(f"no {self._channel} data within {READY_WITHIN_SECONDS:g} s")]
        return []

    def _proves_subscription(self, envelope: wire.Envelope) -> bool:
        if self._channel == LEVEL2:
            return envelope.channel == _BOOK_DATA
        if envelope.channel == self._channel:
            return True
        if envelope.channel != _ACKNOWLEDGEMENT:
            return False
        try:
            said: list[wire.Subscriptions] = decode(envelope.events, _ACKNOWLEDGEMENTS)
        except Unreadable:
            return False
        return any(event.subscriptions.get(self._channel) for event in said)

    async def _resubscribe(self) -> None:
        """Ask for a new snapshot where there is one; other channels go on as they are."""
        if self._channel != LEVEL2:
            return
        self._expect_data()
        await self._session.send(self._message("unsubscribe", self._channel, self._product_ids))
        await self._session.send(self._message("subscribe", self._channel, self._product_ids))

    def _hello(self) -> list[str]:
        return [
            self._message("subscribe", self._channel, self._product_ids),
            self._message("subscribe", HEARTBEATS, ()),
        ]

    def _message(self, kind: str, channel: str, product_ids: Sequence[str]) -> str:
        message: dict[str, object] = {"type": kind, "channel": channel}
        if product_ids:
            message["product_ids"] = list(product_ids)
        if self._signer is not None:
            message["jwt"] = self._signer.websocket_token()
        return msgspec.json.encode(message).decode()

    def _reset(self, reason: str) -> StreamReset:
        return StreamReset(reason=reason, received_at=self._around.now())
