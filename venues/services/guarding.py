"""What stands between the desk's calls and a venue: one budget, breaker and gate a key.

The breaker is one an account and process, shared by every client opened for the account; a client
without a key has one of its own, so that asking whether a venue is up depends on nobody's failures.
"""

from __future__ import annotations

from functools import cache, partial
from time import monotonic

from venues.adapters.limits import RULES
from venues.services.budget import shared_budget
from venues.services.measuring import called, finished, opened
from venues.services.nonces import send_gate
from venues.transport.breaker import Breaker
from venues.transport.seams import Guards, Seams

PUBLIC = "public"


def guarded(venue: str, adapter: str, *, account: str = PUBLIC, credential: str = PUBLIC) -> Seams:
    """Equip a client of this account, or one without a key."""
    return Seams(
        observe=partial(called, venue),
        finished=partial(finished, venue, account),
        guards=Guards(
            store=shared_budget(venue, credential),
            breaker=None if account == PUBLIC else _breaker(venue, account),
            gate=partial(send_gate, venue, credential),
            rules=RULES.get(adapter),
        ),
    )


@cache
def _breaker(venue: str, account: str) -> Breaker:
    return Breaker(stopwatch=monotonic, on_change=partial(opened, venue, account))
