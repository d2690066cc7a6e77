"""How often each venue may be called, by adapter: what its documents say, kept with a margin.

A venue that counts in seconds is kept by `Bucket.window`: whichever second one looks at, burst and
refill together stay within it. A venue not named here is called without a budget, and still stops
when it is told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from venues.transport.budget import Bucket, Limits
from venues.transport.rules import VenueRules, left_in


def _public(most: float, burst: float) -> Bucket:
    """Count what is read without a key, by address; nobody's order ever waits there."""
    return Bucket(
        name="public",
        per_second=most,
        burst=burst,
        is_per_key=False,
        for_rescues=0.0,
        for_orders=0.0,
    )


RULES: Final[Mapping[str, VenueRules]] = {
    # 30 requests a second a user and 10 an address, as three other clients keep them; the venue
    # publishes no figure and names its headers only in its SDK.
    "coinbase_advanced": VenueRules(
        limits=Limits(
            buckets=(
                Bucket.window("private", most=30, seconds=1, burst=12),
                _public(most=6, burst=4),
            ),
            otherwise={"private": 1},
            unsigned={"public": 1},
        ),
        read_left=left_in("x-ratelimit-remaining", "private"),
    ),
    # 15 a second a profile with a burst of 30, 10 a second an address with a burst of 15, and fills
    # 10 a second with a burst of 20: token buckets, by the venue's own words.
    "coinbase_exchange": VenueRules(
        limits=Limits(
            buckets=(
                Bucket(name="private", per_second=14, burst=28),
                Bucket(name="fills", per_second=9, burst=18),
                _public(most=9, burst=14),
            ),
            weights={"list_fills": {"private": 1, "fills": 1}},
            otherwise={"private": 1},
            unsigned={"public": 1},
        ),
    ),
}
