"""The socket behind every live page: subscribe, unsubscribe, heartbeat.

Each request is answered within a second. A page joins first and reads its state second, so nothing
falls between the two.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Any

import msgspec
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from cqops.platform.access.policy import Action, may
from cqops.platform.access.scopes import Parts
from cqops.platform.access.sockets import who_is_it_now
from cqops.platform.audit.refusals import refused_channel
from cqops.platform.live.channels import channel_of
from cqops.platform.live.hub import Mailbox, data_frame, hub, now_text, status_frame
from cqops.platform.telemetry.metrics import SOCKETS
from cqops.platform.telemetry.trace import begin, request_of

HEARTBEAT_SECONDS = 2.0
CHANNELS_A_SOCKET = 100
CLOSE_NOT_SIGNED_IN = 4401
CHANNEL_NAME = re.compile(r"[a-z]+(:[A-Za-z0-9_.\-/]{1,60}){0,3}")


class Wish(msgspec.Struct):
    """What a page or program may ask for."""

    op: str
    channel: str = ""
    id: str = ""


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        self.mailbox = Mailbox()
        self.channels: set[str] = set()
        self.jobs: list[asyncio.Task[None]] = []
        self._begin()
        await self.accept()
        SOCKETS.inc()
        if not await self._still_welcome():
            await self.close(CLOSE_NOT_SIGNED_IN)
            return
        self.jobs = [asyncio.create_task(self._deliver()), asyncio.create_task(self._beat())]
        await self._send(status_frame(is_live=True, reason=""))

    def _begin(self) -> None:
        """Give everything this socket does one request and one trace, as a page has."""
        told = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]
        }
        begin(
            request=request_of(told.get("x-request-id", "")),
            traceparent=told.get("traceparent", ""),
        )

    async def disconnect(self, code: int) -> None:
        SOCKETS.dec()
        for job in self.jobs:
            job.cancel()
        for channel in self.channels:
            await hub().leave(channel, self.mailbox)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            wish = msgspec.json.decode(text_data or bytes_data or b"", type=Wish)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            await self._refuse(Wish(op=""), f"This is not a request: {error}")
            return
        if wish.op == "subscribe":
            await self._subscribe(wish)
        elif wish.op == "unsubscribe":
            self.channels.discard(wish.channel)
            await hub().leave(wish.channel, self.mailbox)
            await self._acknowledge(wish)
        else:
            await self._refuse(wish, "Send op subscribe or unsubscribe, with a channel.")

    async def _subscribe(self, wish: Wish) -> None:
        channel = channel_of(wish.channel)
        if channel is None or not CHANNEL_NAME.fullmatch(wish.channel):
            await self._refuse(wish, "There is no such channel.")
            return
        if not await database_sync_to_async(may)(self.scope["user"], channel.action):
            await database_sync_to_async(refused_channel)(self.scope["user"], wish.channel)
            await self._refuse(wish, "Your roles do not allow this.")
            return
        if len(self.channels) >= CHANNELS_A_SOCKET and wish.channel not in self.channels:
            await self._refuse(wish, f"One socket carries {CHANNELS_A_SOCKET} channels at most.")
            return
        try:
            number = await hub().join(
                wish.channel, self.mailbox, channel.keep, sees=partial(self._sees, channel.action)
            )
            self.channels.add(wish.channel)
            snapshot = await channel.snapshot(wish.channel)
        except LookupError as error:
            await hub().leave(wish.channel, self.mailbox)
            await self._refuse(wish, str(error))
            return
        except (RedisError, OSError, TimeoutError):
            # Stay joined: the hub follows the channel as soon as Redis is back, and says so.
            self.channels.add(wish.channel)
            number, snapshot = 0, None
            await self._send(
                status_frame(is_live=False, reason="The live service is away; it is being retried.")
            )
        await self._acknowledge(wish, seq=number)
        if snapshot is not None:
            await self._send(data_frame(wish.channel, number, snapshot))

    def _sees(self, action: Action, parts: Parts) -> bool:
        """Ask about one push, from the grants that were read at the last beat."""
        return may(self.scope["user"], action, parts)

    async def _acknowledge(self, wish: Wish, **more: Any) -> None:
        answer = {"type": "ack", "id": wish.id, "channel": wish.channel, **more}
        await self._send(msgspec.json.encode(answer))

    async def _refuse(self, wish: Wish, reason: str) -> None:
        answer = {"type": "refused", "id": wish.id, "channel": wish.channel, "reason": reason}
        await self._send(msgspec.json.encode(answer))

    async def _send(self, frame: bytes) -> None:
        await self.send(text_data=frame.decode())

    async def _deliver(self) -> None:
        while True:
            await self._send(await self.mailbox.take())

    async def _beat(self) -> None:
        while True:
            await self._send(f'{{"type":"heartbeat","at":"{now_text()}"}}'.encode())
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if not await self._still_welcome():
                await self.close(CLOSE_NOT_SIGNED_IN)
                return

    async def _still_welcome(self) -> bool:
        """Ask again: the open pages of a disabled user or revoked token end within one beat."""
        if not self.scope["user"].is_authenticated:
            return False
        try:
            fresh = await database_sync_to_async(who_is_it_now)(self.scope)
        except DatabaseError:
            # Nobody can be disabled while the database is away; ask again at the next beat.
            return True
        if fresh is None:
            return False
        self.scope["user"] = fresh
        await self._leave_what_is_closed()
        return True

    async def _leave_what_is_closed(self) -> None:
        """Drop the channels that a taken role or a narrower token no longer opens."""
        for name in sorted(self.channels):
            channel = channel_of(name)
            if channel is not None and may(self.scope["user"], channel.action):
                continue
            self.channels.discard(name)
            await hub().leave(name, self.mailbox)
            await self._refuse(Wish(op="", channel=name), "Your roles no longer allow this.")
