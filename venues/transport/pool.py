"""As many sockets as the subscriptions need and no more: each carries what the venue lets it carry.

Subscriptions come and go while the sockets live. A new one takes a place on a socket that has one
and opens another only then; a socket whose last subscription left is closed. Private subscriptions
never share a socket with market data, because a private reader that is slow holds its socket back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from venues.interface.errors import Cause, NotSent
from venues.transport.link import Dialect, Link, Subscription
from venues.transport.mailbox import Break, Mailbox, Overflow
from venues.transport.tap import Tap
from venues.transport.websocket import Persistence, Recurring, WebSocketSession


class SocketPool:
    """Every subscription at one address, spread over sockets."""

    def __init__(  # noqa: PLR0913 -- a venue's rules for sockets, one by one
        self,
        url: str,
        dialect: Dialect,
        *,
        most_per_socket: int,
        most_sockets: int = 8,
        persistence: Persistence | None = None,
        recurring: Sequence[Recurring] = (),
        longest_life_seconds: float = float("inf"),
        tap: Tap | None = None,
    ) -> None:
        self._url = url
        self._dialect = dialect
        self._most_per_socket = most_per_socket
        self._most_sockets = most_sockets
        self._persistence = persistence or Persistence()
        self._recurring = recurring
        self._longest_life = longest_life_seconds
        self._tap = tap
        self._links: dict[Link, tuple[bool, asyncio.Task[None]]] = {}

    @property
    def sockets(self) -> int:
        return len(self._links)

    async def subscribe(self, subscription: Subscription) -> AsyncGenerator[bytes | Break, None]:
        """Yield this subscription's frames and its breaks; close the generator to unsubscribe."""
        if any(subscription in link for link in self._links):
            message = "this subscription has a reader already"
            raise NotSent(message, cause=Cause.INVALID)
        link = self._place(is_private=subscription.overflow is Overflow.HOLD)
        mailbox: Mailbox = await link.add(subscription)
        try:
            while True:
                yield await mailbox.get()
        finally:
            await self._leave(link, subscription)

    async def aclose(self) -> None:
        for link in list(self._links):
            await self._close(link)

    def _place(self, *, is_private: bool) -> Link:
        for link, (is_links_private, _) in self._links.items():
            if is_links_private == is_private and len(link) < self._most_per_socket:
                return link
        if len(self._links) >= self._most_sockets:
            message = f"{self._most_sockets} sockets are full: nothing more can be listened to"
            raise NotSent(message, cause=Cause.RATE_LIMITED)
        link = Link(
            self._dialect,
            open_session=lambda hello: self._session(hello, is_private=is_private),
            stopwatch=self._persistence.stopwatch,
            most_waiting=self._persistence.max_queue,
        )
        self._links[link] = (is_private, asyncio.create_task(link.run()))
        return link

    def _session(
        self, hello: Callable[[], Awaitable[Sequence[str]]], *, is_private: bool
    ) -> WebSocketSession:
        return WebSocketSession(
            self._url,
            hello=hello,
            persistence=self._persistence,
            recurring=self._recurring,
            longest_life_seconds=self._longest_life,
            tap=self._tap if is_private else None,
        )

    async def _leave(self, link: Link, subscription: Subscription) -> None:
        await link.remove(subscription)
        if not len(link):
            await self._close(link)

    async def _close(self, link: Link) -> None:
        found = self._links.pop(link, None)
        if found is not None:
            found[1].cancel()
            await asyncio.gather(found[1], return_exceptions=True)
