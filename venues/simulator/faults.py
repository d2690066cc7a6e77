"""What can be made to go wrong, on command: a number of times, for a time, or at a rate."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from venues.simulator.terms import ZERO, SimFill


class Kind(StrEnum):
    """HTTP faults come before or after the venue acted; socket faults hit one message.

    Those after them change what the venue does or tells, some of them until they are cleared.
    """

    SLOW = "slow"  # answer after `seconds`
    RATE_LIMIT = "rate_limit"  # 429 with Retry-After, not processed
    STATUS_BEFORE = "status_before"  # `status`, not processed
    CUT_BEFORE = "cut_before"  # connection broken, not processed
    TIMEOUT_BEFORE = "timeout_before"  # nothing for `seconds`, then broken, not processed
    STATUS_AFTER = "status_after"  # processed, answered with `status`
    CUT_AFTER = "cut_after"  # processed, connection broken
    GARBAGE_AFTER = "garbage_after"  # processed, answered with a 200 that cannot be read
    REJECT = "reject"  # the next order is refused with `code`

    DROP = "drop"  # the message is lost, its number is used
    DUPLICATE = "duplicate"  # the message comes twice under one number
    GAP = "gap"  # a number is skipped
    GARBLE = "garble"  # the message cannot be read
    DISCONNECT = "disconnect"  # the socket is closed instead
    REORDER = "reorder"  # the message comes after the next one
    HALF_OPEN = "half_open"  # from this message on nothing comes, and no close either
    BAD_CHECKSUM = "bad_checksum"  # the next checksum of a venue that sends them is wrong

    HIDE_FILL = "hide_fill"  # the next fill of `symbol` is neither streamed nor listed
    WRONG_BALANCE = "wrong_balance"  # `currency` is told with `amount` too much, until cleared
    SKEW = "skew"  # the venue's clock is `seconds` ahead (or behind), until cleared
    PARTIAL_FILLS = "partial_fills"  # orders of `symbol` fill in pieces, until cleared
    FILL_DURING_CANCEL = "fill_during_cancel"  # a cancel is accepted while the order fills


BEFORE: Final = frozenset(
    {Kind.SLOW, Kind.RATE_LIMIT, Kind.STATUS_BEFORE, Kind.CUT_BEFORE, Kind.TIMEOUT_BEFORE}
)
AFTER: Final = frozenset({Kind.STATUS_AFTER, Kind.CUT_AFTER, Kind.GARBAGE_AFTER})
ON_SOCKET: Final = frozenset(
    {Kind.DROP, Kind.DUPLICATE, Kind.GAP, Kind.GARBLE}
    | {Kind.DISCONNECT, Kind.REORDER, Kind.HALF_OPEN}
)
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


@dataclass(frozen=True, slots=True)
class HiddenFill:
    """A fill that nobody hears of, for a while or until the fault is cleared."""

    order_id: str
    until: datetime | None


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One order to go wrong, matched by venue, method, part of the path, channel or symbol.

    It goes wrong `count` times. With `lasts` it goes wrong for so many seconds instead, and with
    `rate` for that share of what it matches, until it is cleared or its time is over.
    """

    kind: Kind
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    lasts: Seconds | None = None
    rate: Share | None = None
    venue: str = ""
    method: str = ""
    path: str = ""
    channel: str = ""
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    seconds: float = 1.0
    retry_after: float | None = 1.0
    code: str = "COMMANDER_REJECTED_NEW_ORDER"
    symbol: str = ""
    currency: str = ""
    amount: Decimal = ZERO
    account: str = ""
    hide_seconds: float | None = None
    until: datetime | None = None

    def wait(self, now: datetime) -> float | None:
        """Say what `Retry-After` says: in a storm, when it is over."""
        if self.until is None or self.retry_after is None:
            return self.retry_after
        return max(1, math.ceil((self.until - now).total_seconds()))


@dataclass(slots=True)
class _Ordered:
    """What all venues of a simulator share."""

    now: Callable[[], datetime]
    random: random.Random
    waiting: list[Fault] = field(default_factory=list)
    hidden: dict[str, HiddenFill] = field(default_factory=dict)
    is_frozen: bool = False


class Faults:
    """The faults still to come, as one venue meets them."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int = 1,
        *,
        venue: str = "",
        ordered: _Ordered | None = None,
    ) -> None:
        self._ordered = ordered or _Ordered(now, random.Random(f"faults:{seed}"))  # noqa: S311
        self._venue = venue

    def of(self, venue: str) -> Faults:
        """Return the same faults, without what is ordered for other venues."""
        return Faults(venue=venue, ordered=self._ordered)

    @property
    def waiting(self) -> list[Fault]:
        return self._ordered.waiting

    @property
    def hidden(self) -> dict[str, HiddenFill]:
        return self._ordered.hidden

    @property
    def is_frozen(self) -> bool:
        return self._ordered.is_frozen

    @is_frozen.setter
    def is_frozen(self, is_frozen: bool) -> None:
        self._ordered.is_frozen = is_frozen

    def now(self) -> datetime:
        """Tell the true time, whatever a venue's clock says."""
        return self._ordered.now()

    def add(self, fault: Fault) -> None:
        if fault.lasts is not None:
            fault.until = self.now() + timedelta(seconds=fault.lasts)
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()
        self.hidden.clear()
        self.is_frozen = False

    # Taken: a count goes down

    def take_http(self, kinds: frozenset[Kind], method: str, path: str) -> Fault | None:
        return self._take(
            lambda fault: (
                fault.kind in kinds and fault.method in {"", method} and fault.path in path
            )
        )

    def take_socket(self, channel: str) -> Fault | None:
        return self._take(lambda fault: fault.kind in ON_SOCKET and fault.channel in {"", channel})

    def spoils_checksum(self, channel: str) -> bool:
        """Tell a venue that sends checksums whether its next one is to be wrong."""
        return self._takes(
            lambda fault: fault.kind is Kind.BAD_CHECKSUM and fault.channel in {"", channel}
        )

    def fills_during_cancel(self, symbol: str) -> bool:
        return self._takes(
            lambda fault: fault.kind is Kind.FILL_DURING_CANCEL and fault.symbol in {"", symbol}
        )

    def notice(self, fill: SimFill) -> None:
        """Look at a fill that just happened; the one to hide is hidden from here on."""
        found = self._take(
            lambda fault: (
                fault.kind is Kind.HIDE_FILL
                and fault.symbol in {"", fill.symbol}
                and fault.account in {"", fill.account}
            )
        )
        if found is not None:
            seconds = found.hide_seconds
            until = None if seconds is None else fill.at + timedelta(seconds=seconds)
            self.hidden[fill.fill_id] = HiddenFill(fill.order_id, until)

    # Standing: until they are cleared or over

    def fills_in_pieces(self, symbol: str) -> bool:
        return any(fault.symbol in {"", symbol} for fault in self._standing(Kind.PARTIAL_FILLS))

    def skew(self) -> timedelta:
        """Say how far this venue's clock is off."""
        return timedelta(seconds=sum(fault.seconds for fault in self._standing(Kind.SKEW)))

    def too_much(self, account: str, currency: str) -> Decimal:
        """Say by how much a balance is told wrongly."""
        return sum(
            (
                fault.amount
                for fault in self._standing(Kind.WRONG_BALANCE)
                if fault.currency == currency and fault.account in {"", account}
            ),
            ZERO,
        )

    def hides_fill(self, fill_id: str, now: datetime) -> bool:
        found = self.hidden.get(fill_id)
        return found is not None and (found.until is None or now < found.until)

    def hides_order(self, order_id: str, now: datetime) -> bool:
        """Tell whether the stream keeps quiet about this order, because it would give a fill away."""
        return any(
            one.order_id == order_id and self.hides_fill(fill_id, now)
            for fill_id, one in self.hidden.items()
        )

    # How they are found

    def _mine(self) -> list[Fault]:
        waiting = self.waiting
        if waiting and any(fault.until is not None for fault in waiting):
            now = self.now()
            waiting[:] = [one for one in waiting if one.until is None or now < one.until]
        return [fault for fault in waiting if not fault.venue or fault.venue == self._venue]

    def _standing(self, kind: Kind) -> list[Fault]:
        return [fault for fault in self._mine() if fault.kind is kind] if self.waiting else []

    def _takes(self, wanted: Callable[[Fault], bool]) -> bool:
        return self._take(wanted) is not None

    def _take(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        if not self.waiting:
            return None
        for fault in self._mine():
            if not wanted(fault):
                continue
            if fault.rate is not None and self._ordered.random.random() >= fault.rate:
                continue
            if fault.rate is None and fault.lasts is None:
                fault.count -= 1
                if fault.count <= 0:
                    self.waiting.remove(fault)
            return fault
        return None
