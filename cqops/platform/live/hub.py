"""One hub a process: one Redis subscription, each frame encoded once, one mailbox a socket.

Channel layers lose messages silently; here a page is always told when something may be missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import redis.asyncio
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from cqops.platform.access.scopes import Parts, read_back
from cqops.platform.live.channels import Keep
from cqops.platform.live.redis import PREFIX, SEQUENCES, async_client
from cqops.platform.telemetry.metrics import COALESCED

log = logging.getLogger(__name__)
MAILBOX_LIMIT = 500
RETRY_SECONDS = 1.0
SILENCE_SECONDS = 2.0
NO_PONG = "the live service does not answer"


class Mailbox:
    """What waits for one socket: the latest frame of a state channel, every frame of the others."""

    def __init__(self) -> None:
        self._latest: dict[str, bytes] = {}
        self._queue: deque[tuple[str, bytes]] = deque()
        self._ready = asyncio.Event()
        self.coalesced = 0

    def put(self, channel: str, frame: bytes, keep: Keep) -> None:
        if keep is Keep.LATEST:
            if channel in self._latest:
                self.coalesced += 1
                COALESCED.inc()
            self._latest[channel] = frame
        elif len(self._queue) < MAILBOX_LIMIT:
            self._queue.append((channel, frame))
        else:
            behind = {waiting for waiting, _ in self._queue} | {channel}
            self._queue.clear()
            for name in sorted(behind):
                self._queue.append((name, resync_frame(name, "this page fell behind")))
        self._ready.set()

    async def take(self) -> bytes:
        """Wait for the next frame; events go before states."""
        while not self._queue and not self._latest:
            self._ready.clear()
            await self._ready.wait()
        if self._queue:
            return self._queue.popleft()[1]
        return self._latest.pop(next(iter(self._latest)))

    def forget(self, channel: str) -> None:
        self._latest.pop(channel, None)


@dataclass(slots=True, kw_only=True)
class Reader:
    """How one socket follows one channel.

    What it may not see is passed over without a gap in its numbers: a gap means that something of
    its own was lost.
    """

    keep: Keep
    sees: Callable[[Parts], bool]
    passed_over: int = 0


class Hub:
    """Follows the channels somebody looks at, and tells everyone when it lost sight of them."""

    def __init__(self) -> None:
        self._readers: dict[str, dict[Mailbox, Reader]] = defaultdict(dict)
        self._redis = async_client()
        self._pubsub: redis.asyncio.client.PubSub | None = None
        self._joined: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self.is_live = False

    async def join(
        self, channel: str, mailbox: Mailbox, keep: Keep, *, sees: Callable[[Parts], bool]
    ) -> int:
        """Follow a channel; afterwards nothing newer than the returned number can be missed."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="live-hub")
        self._readers[channel][mailbox] = Reader(keep=keep, sees=sees)
        joined = self._joined.get(channel)
        if joined is None:
            joined = self._joined[channel] = asyncio.Event()
            if self._pubsub is not None and self.is_live:
                await self._pubsub.subscribe(PREFIX + channel)
        async with asyncio.timeout(1):
            await joined.wait()
        return int(await self._redis.hget(SEQUENCES, channel) or 0)

    async def leave(self, channel: str, mailbox: Mailbox) -> None:
        readers = self._readers.get(channel, {})
        readers.pop(mailbox, None)
        mailbox.forget(channel)
        if readers:
            return
        self._readers.pop(channel, None)
        self._joined.pop(channel, None)
        if self._pubsub is not None and self.is_live:
            try:
                await self._pubsub.unsubscribe(PREFIX + channel)
            except (RedisError, OSError) as error:
                log.info("could not unsubscribe from %s: %s", channel, error)

    async def close(self) -> None:
        """End the subscription and give the connections back."""
        if self._task is not None:
            while not self._task.done():
                self._task.cancel()  # redis may lose one; see cqops.platform.telemetry.forever
                await asyncio.wait({self._task}, timeout=1)
            await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                log.warning("live updates interrupted: %s", error)
            self._tell_interrupted()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        async with self._redis.pubsub() as pubsub:
            # A channel of our own keeps the connection in use before the first page arrives.
            await pubsub.subscribe(PREFIX, *[PREFIX + name for name in self._readers])
            self._pubsub = pubsub
            is_asked = False
            while True:
                message = await pubsub.get_message(timeout=SILENCE_SECONDS)
                if message is None and is_asked:
                    raise RedisConnectionError(NO_PONG)
                is_asked = message is None
                if message is None:
                    await pubsub.ping()
                    continue
                if message["type"] == "subscribe":
                    await self._confirmed(message["channel"].decode().removeprefix(PREFIX))
                elif message["type"] == "message":
                    self._deliver(message["channel"].decode().removeprefix(PREFIX), message["data"])

    async def _confirmed(self, channel: str) -> None:
        if not channel:
            self.is_live = True
            self._tell_everyone(status_frame(is_live=True, reason=""))
            missed = [name for name, event in self._joined.items() if not event.is_set()]
            if missed and self._pubsub is not None:
                await self._pubsub.subscribe(*[PREFIX + name for name in missed])
            return
        event = self._joined.get(channel)
        if event is None:
            return
        if event.is_set():
            frame = resync_frame(channel, "live updates were interrupted")
            for mailbox in self._readers.get(channel, {}):
                mailbox.put(channel, frame, Keep.ALL)
        event.set()

    def _deliver(self, channel: str, data: bytes) -> None:
        number, belongs, payload = data.split(b"|", 2)
        parts = read_back(belongs.decode())
        frame = data_frame(channel, int(number), payload)
        for mailbox, reader in self._readers.get(channel, {}).items():
            if not reader.sees(parts):
                reader.passed_over += 1
            elif reader.passed_over:
                own = data_frame(channel, int(number) - reader.passed_over, payload)
                mailbox.put(channel, own, reader.keep)
            else:
                mailbox.put(channel, frame, reader.keep)

    def _tell_interrupted(self) -> None:
        self.is_live = False
        self._pubsub = None
        self._tell_everyone(
            status_frame(is_live=False, reason="The live service is away; it is being retried.")
        )

    def _tell_everyone(self, frame: bytes) -> None:
        for mailbox in {box for readers in self._readers.values() for box in readers}:
            mailbox.put("", frame, Keep.LATEST)


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def data_frame(channel: str, number: int, payload: bytes) -> bytes:
    return (
        f'{{"type":"data","channel":"{channel}","seq":{number},"at":"{now_text()}","data":'.encode()
        + payload
        + b"}"
    )


def resync_frame(channel: str, reason: str) -> bytes:
    return f'{{"type":"resync","channel":"{channel}","reason":"{reason}"}}'.encode()


def status_frame(*, is_live: bool, reason: str) -> bytes:
    return f'{{"type":"status","live":{str(is_live).lower()},"reason":"{reason}"}}'.encode()


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running loop; a closed loop's hub is forgotten."""
    loop = asyncio.get_running_loop()
    for stale in [other for other in _hubs if other.is_closed()]:
        del _hubs[stale]
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


async def close_hub() -> None:
    """Close the running loop's hub, for whoever ends the loop."""
    found = _hubs.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.close()
