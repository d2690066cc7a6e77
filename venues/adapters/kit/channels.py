"""Sockets whose every message names its channel and has a number: Coinbase's brokerage and Prime.

The venue counts every envelope of a connection from zero, heartbeats and acknowledgements included.
Every connection subscribes to heartbeats, or a quiet market would look like a dead socket. A venue
adds its own channels to the union a feed reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from venues.adapters.contract import Surroundings
from venues.adapters.kit.reading import Messages, Unreadable, Wire, decode
from venues.adapters.kit.stream import Counted, Restart

T = TypeVar("T")
# Which of the symbols a listener asked for one product id on the wire stands for.
Listeners = Mapping[str, Sequence[str]]

HEARTBEATS: Final = "heartbeats"


class Head(Wire):
    """The head of a message of whatever kind; an error has a `type` and no `channel`."""

    channel: str = ""
    sequence_num: int | None = None
    type: str = ""
    message: str | None = ""


class Envelope(Wire, tag_field="channel", tag="", kw_only=True):
    """A message whose channel says what its events are."""

    sequence_num: int | None = None
    timestamp: str | None = None


class Subscriptions(Wire):
    subscriptions: dict[str, object] = {}


class Subscribed(Envelope, tag="subscriptions", kw_only=True):
    events: list[Subscriptions]


class Heartbeat(Envelope, tag=HEARTBEATS):
    """Its number and time say all."""


class SignsSubscriptions(Protocol):
    def subscription(self, channel: str, products: Sequence[str], /) -> dict[str, str]:
        """Sign one message that subscribes."""
        ...


class ChannelFeed(Counted[T, Envelope]):
    """Envelopes of one channel, in order and without gaps."""

    messages: Messages
    channel = ""  # what is subscribed to
    data: type[Envelope]  # what its messages are
    proof_is_data = False  # whether an acknowledgement alone proves nothing

    def __init__(
        self, listeners: Listeners, *, signer: SignsSubscriptions | None, around: Surroundings
    ) -> None:
        super().__init__(around, self.messages.known)
        self.what = self.channel
        self._listeners = listeners
        self._signer = signer

    def hello(self) -> list[str]:
        return [self.message("subscribe", self.channel), self.message("subscribe", HEARTBEATS)]

    def head(self, frame: bytes) -> Envelope | None:
        try:
            said: Envelope = self.messages.read(frame)
        except Unreadable:
            other = decode(frame, Head)
            if other.type == "error":
                self.look(Head, frame)
                message = f"the venue refused the subscription: {other.message}"
                raise Restart(message) from None
            if other.channel in self.messages.tags:
                raise
            self.drift("unknown message type", (other.channel or other.type)[:80])
            return Envelope(sequence_num=other.sequence_num)
        self.look(type(said), frame)
        if said.sequence_num is None:
            self.drift("message without sequence", self.channel)
        return said

    def proves(self, said: Envelope) -> bool:
        if not isinstance(said, Subscribed) or self.proof_is_data:
            return isinstance(said, self.data)
        return any(event.subscriptions.get(self.channel) for event in said.events)

    def message(self, kind: str, channel: str) -> str:
        """Write a message that subscribes or unsubscribes, freshly signed."""
        products = [] if channel == HEARTBEATS else list(self._listeners)
        said: dict[str, object] = {"type": kind, "channel": channel}
        said |= {"product_ids": products} if products else {}
        said |= self._signer.subscription(channel, products) if self._signer else {}
        return msgspec.json.encode(said).decode()
