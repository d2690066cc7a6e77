"""What stands between the desk's calls and a venue: one budget, breaker and gate a key.

The breaker is one an account and process, shared by every client opened for the account; a client
without a key has one of its own, so that asking whether a venue is up depends on nobody's failures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from time import monotonic
from typing import Final

from venues.adapters.limits import RULES
from venues.interface.errors import Cause
from venues.services.budget import shared_budget
from venues.services.measuring import called, finished, opened
from venues.services.nonces import send_gate
from venues.transport.answers import HeldBack
from venues.transport.breaker import Breaker
from venues.transport.budget import KEY_DOOR, BudgetStore, Draw, Taken
from venues.transport.seams import Guards, Seams
from venues.transport.tap import Listens

PUBLIC = "public"
# No venue ever asks for so much quiet: a door shut for longer was shut by us, for a leaked key.
FOR_EVER: Final = 10 * 365 * 24 * 3600.0
LONGER_THAN_ANY_BAN: Final = 365 * 24 * 3600.0


def guarded(
    venue: str,
    adapter: str,
    *,
    account: str = PUBLIC,
    credential: str = PUBLIC,
    tap: Listens | None = None,
) -> Seams:
    """Equip a client of this account, or one without a key; the tap hears what passes."""
    return Seams(
        observe=partial(called, venue),
        finished=partial(finished, venue, account),
        guards=Guards(
            store=UntilShut(shared_budget(venue, credential)),
            breaker=None if account == PUBLIC else _breaker(venue, account),
            gate=partial(send_gate, venue, credential),
            tap=tap,
            rules=RULES.get(adapter),
        ),
    )


class UntilShut:
    """A key's budget, and the words for a key whose door was shut for good."""

    def __init__(self, store: BudgetStore) -> None:
        self._store = store

    async def take(self, draws: Sequence[Draw]) -> Taken:
        taken = await self._store.take(draws)
        if taken.is_closed and taken.wait > LONGER_THAN_ANY_BAN:
            # Another key may be in use already, so whoever asked may ask again.
            message = "this key was reported as leaked, and nothing is signed with it any more"
            raise HeldBack(message, cause=Cause.TEMPORARY)
        return taken

    async def close(self, draws: Sequence[Draw], seconds: float) -> None:
        await self._store.close(draws, seconds)

    async def lower(self, draw: Draw, left: float) -> None:
        await self._store.lower(draw, left)


async def shut(venue: str, credential: str) -> None:
    """Shut a key's door in every process: the next call that would be signed with it does not leave.

    It takes no further question on a call's way, because every call passes the door as it is.
    """
    await shared_budget(venue, credential).close([Draw(key=KEY_DOOR)], FOR_EVER)


@cache
def _breaker(venue: str, account: str) -> Breaker:
    return Breaker(stopwatch=monotonic, on_change=partial(opened, venue, account))
