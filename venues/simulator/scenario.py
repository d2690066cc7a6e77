"""Scenarios: what goes wrong, and when, for a game day or a test, as files anybody can read.

A scenario is a TOML file of `scenarios/`. The director follows the simulator's clock, so a driven
clock plays one in no time, and always in the same way.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from venues.simulator.faults import Fault, Seconds

if TYPE_CHECKING:
    from venues.simulator.app import Simulator

FOLDER: Final = Path(__file__).parent / "scenarios"
_After = Annotated[float, msgspec.Meta(ge=0)]


class BadScenario(Exception):
    """There is no such scenario, or its file says something else than a scenario."""


class TimedFault(Fault, kw_only=True, forbid_unknown_fields=True):
    """A fault that is ordered `after` so many seconds, and again `every` so many."""

    after: _After = 0
    every: Seconds | None = None


class Move(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A market jumps by `percent` of where it is."""

    market: str
    percent: Annotated[float, msgspec.Meta(gt=-90, lt=1000)]
    after: _After = 0
    every: Seconds | None = None


class Halt(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The venue takes no orders for `lasts` seconds."""

    lasts: Seconds
    after: _After = 0
    every: Seconds | None = None


class Scenario(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    about: str
    volatility: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    faults: list[TimedFault] = []
    moves: list[Move] = []
    halts: list[Halt] = []


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str, folder: Path = FOLDER) -> Scenario:
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in known:
        message = f"there is no scenario {name!r:.60}; there are {', '.join(known)}"
        raise BadScenario(message)
    try:
        return msgspec.toml.decode((folder / f"{name}.toml").read_bytes(), type=Scenario)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"scenario {name}: {error}"
        raise BadScenario(message) from error


class Director:
    """Plays one scenario at a time on the venues of a simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._turn = itertools.count()
        self._due: list[tuple[datetime, int, float | None, Callable[[], None]]] = []
        self._venues: list[str] = []
        self.name = ""

    def start(self, name: str, *, venue: str = "", scenario: Scenario | None = None) -> None:
        """Begin a scenario, on one venue or on all; whatever went wrong before is cleared."""
        scenario = scenario or load(name)
        known = self._simulator.venues
        if venue and venue not in known:
            message = f"there is no venue {venue!r:.60}; there are {', '.join(known)}"
            raise BadScenario(message)
        venues = [venue] if venue else list(known)
        markets = {market for slug in venues for market in known[slug].exchange.markets}
        for move in scenario.moves:
            if move.market not in markets:
                message = f"scenario {name}: no market {move.market!r:.40} at {', '.join(venues)}"
                raise BadScenario(message)
        self.stop()
        self._simulator.faults.clear()
        self._venues, self.name = venues, name
        self._pace(scenario.volatility)
        for after, every, act in self._acts(scenario, venue):
            self._later(self._simulator.now() + timedelta(seconds=after), every, act)
        self.advance()

    def stop(self) -> None:
        """End what plays; its faults are cleared, its halts lifted, its markets calmed."""
        if self.name:
            self._simulator.faults.clear()
            self._pace(1.0)
            self._halt(is_halted=False)
        self._due.clear()
        self.name = ""

    def advance(self) -> None:
        """Do what has become due. What was missed several times over is done once."""
        now = self._simulator.now()
        while self._due and self._due[0][0] <= now:
            at, _, every, act = heapq.heappop(self._due)
            act()
            if every is not None:
                missed = (now - at) // timedelta(seconds=every)
                self._later(at + (missed + 1) * timedelta(seconds=every), every, act)

    def _later(self, at: datetime, every: float | None, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._turn), every, act))

    def _acts(
        self, scenario: Scenario, venue: str
    ) -> Iterator[tuple[float, float | None, Callable[[], None]]]:
        for fault in scenario.faults:
            yield fault.after, fault.every, partial(self._order, fault, venue)
        for move in scenario.moves:
            yield move.after, move.every, partial(self._move, move)
        for halt in scenario.halts:
            yield halt.after, halt.every, partial(self._halt, is_halted=True)
            yield halt.after + halt.lasts, halt.every, partial(self._halt, is_halted=False)

    def _order(self, fault: TimedFault, venue: str) -> None:
        fresh = msgspec.structs.replace(fault, venue=fault.venue or venue)
        self._simulator.faults.add(fresh)

    def _move(self, move: Move) -> None:
        for slug in self._venues:
            exchange = self._simulator.venues[slug].exchange
            street = exchange.markets.get(move.market)
            if street is not None:
                factor = 1 + Decimal(str(move.percent)) / 100
                ticks = street.ticks(street.last_price * factor)
                exchange.jump(move.market, street.price(max(ticks, 1)))
                self._simulator.venues[slug].publish()

    def _halt(self, *, is_halted: bool) -> None:
        for slug in self._venues:
            self._simulator.venues[slug].exchange.is_halted = is_halted

    def _pace(self, volatility: float) -> None:
        for slug in self._venues:
            for street in self._simulator.venues[slug].exchange.markets.values():
                street.pace = volatility
