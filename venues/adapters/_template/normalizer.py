"""The venue's messages into the words every venue speaks. Pure: bytes and a clock reading in.

Every word of the venue's documents stands in a table. A status nobody knows becomes
`OrderStatus.UNKNOWN` and opens a drift report; a side nobody knows is `Unreadable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from venues.adapters._template.missing import missing
from venues.interface.types import Balance, BookSnapshot, Fill, Instrument, Order, OrderStatus

STATUSES: Final[Mapping[str, OrderStatus]] = {}


def read_order(_body: msgspec.Raw, _received_at: datetime) -> Order:
    missing("normalizer.read_order", "one order, with the venue's message kept in `raw`")


def read_fill(_body: msgspec.Raw, _received_at: datetime) -> Fill:
    missing("normalizer.read_fill", "one execution, unique by the venue's own execution id")


def read_balance(_body: msgspec.Raw, _received_at: datetime) -> Balance:
    missing("normalizer.read_balance", "what is available of a currency and what is held")


def read_instrument(_body: msgspec.Raw) -> Instrument:
    missing("normalizer.read_instrument", "tick, step, smallest and largest sizes")


def read_book(
    _symbol: str, _body: msgspec.Raw, _depth: int, _received_at: datetime
) -> BookSnapshot:
    missing("normalizer.read_book", "both sides best first, no deeper than asked")
