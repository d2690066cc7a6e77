"""What a call is for: the word it is counted under, and who goes first when not all may go.

Undoing and finding out come first: a cancel, and looking up an order whose outcome is unknown, have
a share of every budget that nobody else may use, and no breaker stops them. New orders go before
reads, because a read that comes late is only late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto
from typing import Final


class Priority(IntEnum):
    """Lower goes first."""

    RESCUE = 0  # cancels, and look-ups of an order in doubt
    ORDER = 1  # what creates or changes
    READ = 2


class Safety(Enum):
    """What repeating a call can do."""

    READ = auto()  # changes nothing
    REPEATABLE = auto()  # changes something once, however often it is sent: a cancel
    ONCE = auto()  # creates: never sent again by us


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    priority: Priority
    reference: str = ""

    def about(self, reference: str) -> Operation:
        """Name the order or request this call belongs to, for the record of raw frames."""
        return replace(self, reference=reference)


PLACE: Final = Operation("place", Priority.ORDER)
AMEND: Final = Operation("amend", Priority.ORDER)
CANCEL: Final = Operation("cancel", Priority.RESCUE)
LOOK_UP: Final = Operation("look_up", Priority.RESCUE)
LIST_ORDERS: Final = Operation("list_orders", Priority.READ)
LIST_FILLS: Final = Operation("list_fills", Priority.READ)
BALANCES: Final = Operation("balances", Priority.READ)
POSITIONS: Final = Operation("positions", Priority.READ)
BOOK: Final = Operation("book", Priority.READ)
INSTRUMENTS: Final = Operation("instruments", Priority.READ)
KEY_RIGHTS: Final = Operation("key_rights", Priority.READ)
STREAM_TOKEN: Final = Operation("stream_token", Priority.READ)
HEALTH: Final = Operation("health", Priority.READ)
QUOTE: Final = Operation("quote", Priority.ORDER)
ACCEPT_QUOTE: Final = Operation("accept_quote", Priority.ORDER)
TRANSFER: Final = Operation("transfer", Priority.ORDER)

# What a call is taken for whose adapter does not name it; its metric keeps the path for a name.
UNNAMED: Final = {
    Safety.READ: Operation("", Priority.READ),
    Safety.REPEATABLE: Operation("", Priority.RESCUE),
    Safety.ONCE: Operation("", Priority.ORDER),
}
