"""What a transport is given from outside: its patience, its clocks, and what it shares with others.

The library reaches for none of these itself. A test replaces the wire and the clocks; the desk
brings the guards, whose state all its processes share.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from venues.transport.breaker import Breaker
from venues.transport.budget import BudgetStore
from venues.transport.gate import SendGate, Unit
from venues.transport.report import Exchange, Finished
from venues.transport.rules import VenueRules
from venues.transport.tap import Listens


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait and how often to try again."""

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    pool_seconds: float = 5.0
    max_connections: int = 20
    attempts: int = 3
    first_delay_seconds: float = 0.25
    longest_delay_seconds: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What stands between a call and the wire; where one is missing a transport has its own.

    Without a `store` the whole budget is this transport's; without a `gate` nonces rise within it;
    without a `tap` no copies are kept. `rules` are the venue's, for an adapter that brings none.
    """

    store: BudgetStore | None = None
    breaker: Breaker | None = None
    gate: Callable[[Unit], SendGate] | None = None
    tap: Listens | None = None
    rules: VenueRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """The wire, the waiting, the dice, the clocks, the listeners, the guards."""

    wire: httpx.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = random.random
    stopwatch: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    observe: Callable[[Exchange], None] | None = None
    finished: Callable[[Finished], None] | None = None
    guards: Guards = field(default_factory=Guards)
