"""What every adapter brings: where it connects, what its key is made of, what it can do.

Here and not in the registry, because adapters speak these words and the registry imports them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from venues.interface.client import VenueClient
from venues.interface.types import OrderType, TimeInForce
from venues.transport.http import Patience, Seams
from venues.transport.websocket import Persistence


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueConfig:
    """Where a venue is reached; the real one and its simulator differ only here."""

    rest_url: str
    ws_url: str
    ws_user_url: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One opened credential: what every venue's key has, and by name what only some have.

    Neither its secret nor anything else but its id shows in a repr.
    """

    key_id: str
    secret: str = field(repr=False)
    more: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyField:
    """One thing a person is asked for when adding a key, in the venue's own words."""

    name: str
    label: str
    help_text: str
    is_secret: bool
    is_multiline: bool = False
    is_required: bool = True
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Which orders the adapter can send; whatever is not here raises `Unsupported`."""

    venue: str
    times_in_force: Mapping[OrderType, frozenset[TimeInForce]]
    post_only_with: frozenset[TimeInForce]
    notional_with: frozenset[OrderType]
    sells_by_notional: bool = False
    # The venue returns the first order for a client id that is used again, instead of a second one.
    repeats_are_safe: bool = True
    # Orders or fills are listed one symbol at a time, so whoever asks names the symbols.
    lists_by_symbol: bool = False
    # A venue that lists an order late: unknown there proves nothing for so long after it was sent.
    absence_seconds: float = 0.0

    @property
    def order_types(self) -> frozenset[OrderType]:
        return frozenset(self.times_in_force)


def utc_now() -> datetime:
    return datetime.now(UTC)


def fresh_nonce() -> str:
    return secrets.token_hex(32)


# A drift report's kind where a member has no meaning here; its detail is `Kind.member = sample`.
UNKNOWN_FIELD: Final = "unknown field"


def ignore_drift(_kind: str, _detail: str) -> None:
    """Drop a drift report, for callers who keep none."""


@dataclass(slots=True, kw_only=True)
class Noticed:
    """How often messages are looked at for members nobody knows, and which were told already.

    A client and its streams share it, so that a member is told once however often they reconnect.
    """

    first: int = 20  # of each kind of message, and after these
    every: int = 500
    counts: dict[Any, int] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The clock, the dice and the listeners an adapter is given instead of reaching for them."""

    now: Callable[[], datetime] = utc_now
    nonce: Callable[[], str] = fresh_nonce
    on_drift: Callable[[str, str], None] = ignore_drift
    patience: Patience = field(default_factory=Patience)
    seams: Seams = field(default_factory=Seams)
    persistence: Persistence = field(default_factory=Persistence)
    noticed: Noticed = field(default_factory=Noticed)


class BuildsClient(Protocol):
    def __call__(
        self, *, config: VenueConfig, key: ApiKey | None, around: Surroundings
    ) -> VenueClient: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One venue's entry in the registry."""

    name: str
    live: VenueConfig
    key_fields: tuple[KeyField, ...]
    capabilities: Capabilities
    build: BuildsClient
