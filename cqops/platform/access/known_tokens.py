"""Who calls with a token, where the database would be asked too often: it is asked again every two seconds.

What is remembered is only that a token opened doors a moment ago, under its digest, with the person and
what they may. So a token that is revoked, or whose owner lost a role, opens nothing `REMEMBERED_SECONDS`
later; one that opened nothing is asked for each time.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from channels.db import database_sync_to_async
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.tokens import digest_of, find, narrowed

REMEMBERED_SECONDS = 2.0
ROOM = 1_000
Find = Callable[[str], Awaitable[User | None]]


def _find(token: str) -> User | None:
    found = find(token, now=timezone.now())
    if found is None:
        return None
    person = narrowed(found)
    # Read here, where queries are allowed: what they may is asked later without one.
    _ = person.grants
    return person


class KnownTokens:
    """The tokens one event loop has just seen."""

    def __init__(
        self,
        *,
        find: Find | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find or database_sync_to_async(_find, thread_sensitive=False)
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, User]] = OrderedDict()
        self._asking: dict[str, asyncio.Future[User | None]] = {}

    async def owner(self, token: str) -> User | None:
        """Return who may come in with a token, with the powers of the token alone."""
        digest = digest_of(token)
        asked_at, person = self._seen.get(digest, (0.0, None))
        if person is not None and self._clock() - asked_at < REMEMBERED_SECONDS:
            return person
        # Once for all that ask at the same time.
        if digest not in self._asking:
            asking = asyncio.ensure_future(self._ask(digest, token))
            self._asking[digest] = asking
            asking.add_done_callback(lambda _: self._asking.pop(digest))
        return await asyncio.shield(self._asking[digest])

    async def _ask(self, digest: str, token: str) -> User | None:
        asked_at = self._clock()
        self._seen.pop(digest, None)
        found = await self._find(token)
        if found is not None:
            if len(self._seen) >= ROOM:
                self._seen.popitem(last=False)
            self._seen[digest] = (asked_at, found)
        return found
