"""What a call pays before it may leave, and what its answer teaches about the next ones.

Waiting is bounded by who asks. A read may wait a little; an order says quickly that it was not
sent, because its price grows old; a rescue waits longest, because nothing else will do its work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import httpx

from venues.interface.errors import Cause
from venues.transport.answers import HeldBack, Refusal, retry_after
from venues.transport.budget import BAN_DOOR, BudgetStore, Draw
from venues.transport.operation import Operation, Priority
from venues.transport.rules import PAUSE_SECONDS, VenueRules

LONGEST_WAIT_SECONDS: Final = {Priority.RESCUE: 5.0, Priority.ORDER: 0.5, Priority.READ: 3.0}
LONGEST_PAUSE_SECONDS: Final = 60.0
_SHORTEST_SLEEP_SECONDS: Final = 0.001


class Admission:
    """The budget of one key at one venue, as its calls meet it."""

    def __init__(
        self,
        rules: VenueRules,
        store: BudgetStore,
        *,
        sleep: Callable[[float], Awaitable[None]],
        dice: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._store = store
        self._sleep = sleep
        self._dice = dice
        self._wall = wall
        self._left: dict[str, float] = {}
        self._pauses_in_a_row = 0

    @property
    def left(self) -> Mapping[str, float]:
        """What each bucket held when it was last looked at."""
        return dict(self._left)

    async def pay(self, operation: Operation, *, is_signed: bool) -> tuple[Draw, ...]:
        """Take this call's share of the budget, waiting within bounds; raise `HeldBack` beyond."""
        draws = self._rules.limits.draws(operation, is_signed=is_signed)
        longest = LONGEST_WAIT_SECONDS[operation.priority]
        waited = 0.0
        lost = 0
        while True:
            taken = await self._store.take(draws)
            self._left.update({draw.key: taken.left.get(draw.key, 0.0) for draw in draws[2:]})
            if taken.wait <= 0:
                return draws
            # Whoever lost a race for a token before comes back at another moment than the others.
            pause = max(taken.wait, _SHORTEST_SLEEP_SECONDS) * (1 + lost * self._dice())
            if waited + pause > longest:
                raise _over_budget(taken.wait, is_closed=taken.is_closed)
            await self._sleep(pause)
            waited += pause
            lost += 1

    def is_throttle(self, response: httpx.Response, refusal: Refusal) -> bool:
        """Tell "slow down" from a refusal: the venue did not process what it says this of."""
        is_said = response.is_client_error and refusal.cause is Cause.RATE_LIMITED
        return is_said or response.status_code in self._rules.pauses

    async def close(
        self, draws: Sequence[Draw], response: httpx.Response, refusal: Refusal
    ) -> float:
        """Be quiet for as long as the venue says, in every process; say how long that is."""
        status = response.status_code
        told = refusal.retry_after
        if told is None:
            told = retry_after(response, self._wall)
        if told is None:
            pause = self._rules.pauses.get(status, PAUSE_SECONDS)
            longest = max(pause, LONGEST_PAUSE_SECONDS)
            told = min(pause * (1 << min(self._pauses_in_a_row, 16)), longest)
        self._pauses_in_a_row += 1
        is_ban = status in self._rules.bans
        closed = [draw for draw in draws if is_ban or draw.key != BAN_DOOR]
        await self._store.close(closed, told)
        return told

    async def heard(self, draws: Sequence[Draw], response: httpx.Response) -> None:
        """Take the venue's own count where it is lower than ours."""
        self._pauses_in_a_row = 0
        if self._rules.read_left is None:
            return
        said = self._rules.read_left(response.headers)
        for draw in draws[2:]:
            left = said.get(draw.key.partition(":")[2])
            if left is not None and left < self._left.get(draw.key, draw.burst):
                self._left[draw.key] = left
                await self._store.lower(draw, left)


def _over_budget(wait: float, *, is_closed: bool) -> HeldBack:
    why = "the venue asked us to be quiet" if is_closed else "the budget of calls is spent"
    return HeldBack(f"{why} for {wait:.1f} s more", cause=Cause.RATE_LIMITED, retry_after=wait)
