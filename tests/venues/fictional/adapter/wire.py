"""Harbour's messages as it writes them: the members we read, and by name those we do not."""

from __future__ import annotations

import msgspec

from venues.adapters.kit.reading import Wire
from venues.adapters.kit.watching import Known


class Clock(Wire):
    now: int


class Market(Wire):
    market: str
    base: str
    quote: str
    tick: str
    step: str
    least: str | None = None
    open: bool | None = False


class Book(Wire):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    at: int | None = None


class Purse(Wire):
    coin: str
    free: str
    locked: str | None = None


class Taken(Wire):
    id: str
    ref: str | None = ""


class Order(Wire):
    id: str
    ref: str
    market: str
    way: str
    kind: str
    state: str
    amount: str | None = None
    price: str | None = None
    done: str | None = None
    paid: str | None = None
    fee: str | None = None
    at: int | None = None


class Fill(Wire):
    id: str
    order: str
    ref: str
    market: str
    way: str
    price: str
    amount: str
    at: int
    fee: str | None = None
    made: bool | None = None


class Rows(Wire):
    rows: list[msgspec.Raw]
    next: str | None = ""


class No(Wire):
    code: str
    text: str | None = ""


class Trade(Wire):
    id: str
    price: str
    amount: str
    way: str
    at: int


class Message(Wire):
    """One message of the socket; which members it has depends on `what`."""

    n: int
    what: str
    market: str = ""
    text: str | None = ""
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []
    trade: Trade | None = None
    order: msgspec.Raw = msgspec.Raw(b"")


# What the venue's documents name beside what is read above; anything else is a drift report.
KNOWN = Known({Message: "topic"}, refusal=No)
