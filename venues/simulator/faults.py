"""What can be made to go wrong, on command, once or a number of times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from venues.simulator.terms import ZERO, SimFill


class Kind(StrEnum):
    """HTTP faults come before or after the venue acted; socket faults hit one message.

    The last two make the venue's books look different from what they are, until they are cleared.
    """

    SLOW = "slow"  # answer after `seconds`
    RATE_LIMIT = "rate_limit"  # 429 with Retry-After, not processed
    STATUS_BEFORE = "status_before"  # `status`, not processed
    CUT_BEFORE = "cut_before"  # connection broken, not processed
    STATUS_AFTER = "status_after"  # processed, answered with `status`
    CUT_AFTER = "cut_after"  # processed, connection broken
    GARBAGE_AFTER = "garbage_after"  # processed, answered with a 200 that cannot be read
    REJECT = "reject"  # the next order is refused with `code`

    DROP = "drop"  # the message is lost, its number is used
    DUPLICATE = "duplicate"  # the message comes twice under one number
    GAP = "gap"  # a number is skipped
    GARBLE = "garble"  # the message cannot be read
    DISCONNECT = "disconnect"  # the socket is closed instead

    HIDE_FILL = "hide_fill"  # the next fill of `symbol` is neither streamed nor listed
    WRONG_BALANCE = "wrong_balance"  # `currency` is told with `amount` too much


BEFORE: Final = frozenset({Kind.SLOW, Kind.RATE_LIMIT, Kind.STATUS_BEFORE, Kind.CUT_BEFORE})
AFTER: Final = frozenset({Kind.STATUS_AFTER, Kind.CUT_AFTER, Kind.GARBAGE_AFTER})
ON_SOCKET: Final = frozenset({Kind.DROP, Kind.DUPLICATE, Kind.GAP, Kind.GARBLE, Kind.DISCONNECT})


@dataclass(frozen=True, slots=True)
class HiddenFill:
    """A fill that nobody hears of, for a while or until the fault is cleared."""

    order_id: str
    until: datetime | None


class Fault(msgspec.Struct, kw_only=True):
    """One order to go wrong, matched by method, part of the path, or channel."""

    kind: Kind
    count: int = 1
    method: str = ""
    path: str = ""
    channel: str = ""
    status: int = 503
    seconds: float = 1.0
    retry_after: float | None = 1.0
    code: str = "COMMANDER_REJECTED_NEW_ORDER"
    symbol: str = ""
    currency: str = ""
    amount: Decimal = ZERO
    account: str = ""
    hide_seconds: float | None = None


class Faults:
    """The faults still to come."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.hidden: dict[str, HiddenFill] = {}
        self.is_frozen = False

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()
        self.hidden.clear()
        self.is_frozen = False

    def take_http(self, kinds: frozenset[Kind], method: str, path: str) -> Fault | None:
        return self._take(
            next(
                (
                    fault
                    for fault in self.waiting
                    if fault.kind in kinds and fault.method in {"", method} and fault.path in path
                ),
                None,
            )
        )

    def take_socket(self, channel: str) -> Fault | None:
        if not self.waiting:
            return None
        return self._take(
            next(
                (
                    fault
                    for fault in self.waiting
                    if fault.kind in ON_SOCKET and fault.channel in {"", channel}
                ),
                None,
            )
        )

    def notice(self, fill: SimFill) -> None:
        """Look at a fill that just happened; the one to hide is hidden from here on."""
        found = self._take(
            next(
                (
                    fault
                    for fault in self.waiting
                    if fault.kind is Kind.HIDE_FILL
                    and fault.symbol in {"", fill.symbol}
                    and fault.account in {"", fill.account}
                ),
                None,
            )
        )
        if found is not None:
            seconds = found.hide_seconds
            until = None if seconds is None else fill.at + timedelta(seconds=seconds)
            self.hidden[fill.fill_id] = HiddenFill(fill.order_id, until)

    def hides_fill(self, fill_id: str, now: datetime) -> bool:
        found = self.hidden.get(fill_id)
        return found is not None and (found.until is None or now < found.until)

    def hides_order(self, order_id: str, now: datetime) -> bool:
        """Tell whether the stream keeps quiet about this order, because it would give a fill away."""
        return any(
            one.order_id == order_id and self.hides_fill(fill_id, now)
            for fill_id, one in self.hidden.items()
        )

    def too_much(self, account: str, currency: str) -> Decimal:
        """Say by how much a balance is told wrongly."""
        return sum(
            (
                fault.amount
                for fault in self.waiting
                if fault.kind is Kind.WRONG_BALANCE
                and fault.currency == currency
                and fault.account in {"", account}
            ),
            ZERO,
        )

    def _take(self, fault: Fault | None) -> Fault | None:
        if fault is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.waiting.remove(fault)
        return fault
