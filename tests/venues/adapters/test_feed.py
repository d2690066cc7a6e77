"""The sequence rule and the proof of a subscription, frame by frame and without a socket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from venues.adapters.coinbase_advanced.feed import Books, Executions, Trades
from venues.adapters.contract import Surroundings
from venues.adapters.kit.channels import ChannelFeed
from venues.adapters.kit.stream import Follower
from venues.interface.types import StreamReset
from venues.transport.seams import Guards, Seams
from venues.transport.signer import CdpAuth, CdpSigner
from venues.transport.tap import Copy, Direction, Tap
from venues.transport.websocket import Persistence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "PoMFS0RA7RImjCOiRozmOtw2/w4MJkonimCFnjP87wcFQqJLDUGIpARTcJrbxxebTvPiwZIZiCt4Nxi4u2ucHA=="


class Watched:
    """A feed whose socket is watched and whose stop-watch is set by hand; it tells the numbers."""

    def __init__(self, kind: type[ChannelFeed[Any]] = Books, *, is_signed: bool = False) -> None:
        self.seconds = 0.0
        self.sent: list[dict[str, Any]] = []
        self.drift: list[str] = []
        nonces = iter("abcdefghij")
        signer = (
            CdpAuth(CdpSigner("k", SECRET, clock=lambda: 1, nonce=lambda: next(nonces)))
            if is_signed
            else None
        )
        around = Surroundings(
            now=lambda: NOW,
            on_drift=lambda kind, _detail: self.drift.append(kind),
            persistence=Persistence(stopwatch=lambda: self.seconds),
        )
        numbered = type(
            "Numbered", (kind,), {"events": lambda _self, said, _frame: [said.sequence_num]}
        )
        listeners = {} if kind is Executions else {"BTC-USD": ["BTC-USD"]}
        self.feed = numbered(listeners, signer=signer, around=around)
        self.follower: Follower[int] = Follower("ws://127.0.0.1:1", self.feed)
        self.follower.session.send = self.keep  # type: ignore[method-assign]
        self.feed.begin()

    async def keep(self, text: str) -> None:
        self.sent.append(json.loads(text))

    @property
    def drop_reason(self) -> str:
        return self.follower.session._drop_reason

    async def read(self, frames: Sequence[object]) -> list[object]:
        """Return the numbers of what got through and the reasons of what was reset."""
        return [
            item.reason if isinstance(item, StreamReset) else item
            for frame in frames
            for item in await self.follower.take(json.dumps(frame).encode())
        ]


def frame(number: int, channel: str = "l2_data") -> dict[str, Any]:
    return {"channel": channel, "sequence_num": number, "events": []}


async def test_one_counter_runs_through_all_channels():
    frames = [frame(0), frame(1, "subscriptions"), frame(2, "heartbeats"), frame(3)]

    assert await Watched().read(frames) == [0, 1, 2, 3]


async def test_the_first_number_of_a_connection_may_be_any():
    assert await Watched().read([frame(954), frame(955)]) == [954, 955]


async def test_old_numbers_are_left_out():
    assert await Watched().read([frame(5), frame(5), frame(3), frame(6)]) == [5, 6]


async def test_a_gap_resets_the_books_and_subscribes_anew():
    watched = Watched()

    assert await watched.read([frame(1), frame(3), frame(4)]) == [
        1,
        "sequence gap: 3 after 1",
        3,
        4,
    ]
    assert [(one["type"], one["channel"]) for one in watched.sent] == [
        ("unsubscribe", "level2"),
        ("subscribe", "level2"),
    ]
    assert watched.drop_reason == ""


@pytest.mark.parametrize(("kind", "data"), [(Trades, "market_trades"), (Executions, "user")])
async def test_a_gap_elsewhere_resets_and_goes_on(kind, data):
    watched = Watched(kind)
    found = await watched.read([frame(1, data), frame(3, data)])

    assert "sequence gap: 3 after 1" in found
    assert watched.sent == []


async def test_every_subscription_carries_a_token_of_its_own():
    watched = Watched(is_signed=True)

    hello = [json.loads(text) for text in watched.feed.hello()]

    assert [(one["type"], one["channel"]) for one in hello] == [
        ("subscribe", "level2"),
        ("subscribe", "heartbeats"),
    ]
    assert hello[0]["product_ids"] == ["BTC-USD"]
    assert "product_ids" not in hello[1]
    assert hello[0]["jwt"] != hello[1]["jwt"]


async def test_without_a_key_no_token_is_sent():
    assert "jwt" not in json.loads(Watched().feed.hello()[0])


async def test_a_refused_subscription_gives_the_connection_up():
    watched = Watched(Executions)

    found = await watched.read([{"type": "error", "message": "authentication failure"}])

    assert found == ["the venue refused the subscription: authentication failure"]
    assert watched.drop_reason


async def test_heartbeats_alone_do_not_prove_a_subscription():
    watched = Watched()
    await watched.read([frame(0, "subscriptions"), frame(1, "heartbeats")])
    watched.seconds = 15.1

    found = await watched.read([frame(2, "heartbeats")])

    assert "no level2 data within 15 s" in found
    assert watched.drop_reason


async def test_the_private_stream_is_read_again_once_it_is_subscribed():
    watched = Watched(Executions)
    acknowledged = {
        "channel": "subscriptions",
        "sequence_num": 1,
        "events": [{"subscriptions": {"user": ["someone"], "heartbeats": ["heartbeats"]}}],
    }

    assert await watched.read([frame(0, "heartbeats"), acknowledged, frame(2, "user")]) == [
        0,
        "subscribed",
        1,
        2,
    ]


async def test_an_unreadable_frame_gives_the_connection_up_and_opens_a_drift_report():
    watched = Watched()

    found = await watched.read([[1, 2]])

    assert str(found[0]).startswith("unreadable message")
    assert watched.drop_reason
    assert watched.drift == ["unreadable message"]


async def test_a_message_without_a_number_is_reported_and_left_out():
    watched = Watched()

    assert await watched.read([{"channel": "l2_data", "events": []}]) == []
    assert watched.drift == ["message without sequence"]


async def test_a_followed_stream_is_heard_by_the_tap_under_its_own_name():
    copies: list[Copy] = []
    tap = Tap(copies.append, wall=lambda: 5.0)
    around = Surroundings(seams=Seams(guards=Guards(tap=tap)))

    follower: Follower[object] = Follower(
        "ws://127.0.0.1:1", Executions({}, signer=None, around=around)
    )
    follower.session._note(Direction.RECEIVED, b'{"order_id":"1"}')

    assert tap.heard == {"user": 5.0}
    tap.drain()
    assert copies[0].operation == "user"
