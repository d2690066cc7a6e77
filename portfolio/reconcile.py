"""Our books against the venue's: two sides in, differences out, and nothing else.

A side is what somebody believes at one moment. The caller sees to it that both sides speak of the
same moment; here nothing waits, reads a clock or forgives a rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, localcontext
from enum import StrEnum

ZERO = Decimal(0)
_EXACT = Context(prec=120)
Record = Mapping[str, str]


class Kind(StrEnum):
    """What does not agree."""

    BALANCE = "balance"
    ORDER = "order"
    FILL_MISSING_HERE = "fill_missing_here"
    FILL_MISSING_THERE = "fill_missing_there"
    FILL_DIFFERS = "fill_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One execution as one side has it. `base` and `quote` are empty where the symbol says nothing."""

    execution_id: str
    order_id: str
    symbol: str
    base: str
    quote: str
    is_buy: bool
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    at: datetime

    @property
    def record(self) -> Record:
        return {
            "Execution": self.execution_id,
            "Order": self.order_id,
            "Symbol": self.symbol,
            "Side": "buy" if self.is_buy else "sell",
            "Quantity": plain(self.quantity),
            "Price": plain(self.price),
            "Fee": f"{plain(self.fee)} {self.fee_currency}",
            "Executed": self.at.isoformat(timespec="milliseconds"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """One order as one side has it; `is_open` is whether that side lists it as working."""

    client_order_id: str
    venue_order_id: str
    symbol: str
    base: str
    quantity: Decimal | None
    filled: Decimal
    is_open: bool
    record: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing both sides tell differently. `amount` is theirs less ours, in `unit`.

    The key says what it is about and not how large it is, so the next look finds the same one.
    """

    key: str
    kind: Kind
    title: str
    amount: Decimal
    unit: str
    ours: Record
    theirs: Record
    at: datetime | None = None


def plain(amount: Decimal) -> str:
    """Write a number in full, without the zeros at its end."""
    text = f"{amount:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def movements(fill: Booked) -> Iterator[tuple[str, Decimal]]:
    """Tell what one execution adds to each currency, its fee included."""
    sign = 1 if fill.is_buy else -1
    with localcontext(_EXACT):
        yield fill.base, sign * fill.quantity
        yield fill.quote, -sign * fill.quantity * fill.price
        yield fill.fee_currency, -fill.fee


def added(*parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Add amounts currency by currency, to the last digit."""
    found: dict[str, Decimal] = {}
    with localcontext(_EXACT):
        for part in parts:
            for currency, amount in part.items():
                found[currency] = found.get(currency, ZERO) + amount
    return found


def total_of(fills: Iterable[Booked]) -> dict[str, Decimal]:
    """Add up what executions moved; a symbol that says nothing moves only its fee."""
    return added(
        *({currency: amount} for fill in fills for currency, amount in movements(fill) if currency)
    )


def compare_balances(
    ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal]
) -> list[Difference]:
    """Compare every currency that either side holds."""
    found = []
    for currency in sorted({*ours, *theirs}):
        here, there = ours.get(currency, ZERO), theirs.get(currency, ZERO)
        with localcontext(_EXACT):
            amount = there - here
        if amount:
            found.append(
                Difference(
                    key=f"balance:{currency}",
                    kind=Kind.BALANCE,
                    title=f"{currency} balance",
                    amount=amount,
                    unit=currency,
                    ours={"Total": f"{plain(here)} {currency}"},
                    theirs={"Total": f"{plain(there)} {currency}"},
                )
            )
    return found


def compare_fills(ours: Mapping[str, Booked], theirs: Mapping[str, Booked]) -> list[Difference]:
    """Compare executions by the venue's id for them."""
    found = []
    for key in sorted({*ours, *theirs}):
        here, there = ours.get(key), theirs.get(key)
        if here is None and there is not None:
            found.append(_fill(Kind.FILL_MISSING_HERE, there.quantity, None, there))
        elif there is None and here is not None:
            found.append(_fill(Kind.FILL_MISSING_THERE, here.quantity.copy_negate(), here, None))
        elif here is not None and there is not None and not _is_same(here, there):
            with localcontext(_EXACT):
                amount = there.quantity - here.quantity
            found.append(_fill(Kind.FILL_DIFFERS, amount, here, there))
    return found


def _is_same(here: Booked, there: Booked) -> bool:
    return (here.is_buy, here.quantity, here.price, here.fee, here.fee_currency, here.symbol) == (
        there.is_buy,
        there.quantity,
        there.price,
        there.fee,
        there.fee_currency,
        there.symbol,
    )


def _fill(kind: Kind, amount: Decimal, here: Booked | None, there: Booked | None) -> Difference:
    known = here or there
    assert known is not None  # noqa: S101 -- one of the two sides always has it
    words = {
        Kind.FILL_MISSING_HERE: "an execution we do not have",
        Kind.FILL_MISSING_THERE: "an execution the venue does not list",
    }.get(kind, "an execution told differently")
    return Difference(
        key=f"fill:{known.execution_id}",
        kind=kind,
        title=f"{known.symbol}: {words}",
        amount=amount,
        unit=known.base or known.symbol,
        ours=here.record if here else {},
        theirs=there.record if there else {},
        at=known.at,
    )


def compare_orders(ours: Iterable[Working], theirs: Iterable[Working]) -> list[Difference]:
    """Compare what each side believes to be working, and how far it is filled."""
    there = _Found(theirs)
    matched: set[int] = set()
    found = []
    for here in ours:
        other = there.of(here)
        if other is not None:
            matched.add(id(other))
        if here.is_open != (other is not None and other.is_open) or (
            other is not None and here.filled != other.filled
        ):
            found.append(_order(here, other))
    found += [
        _order(None, other) for other in there.orders if other.is_open and id(other) not in matched
    ]
    return found


class _Found:
    """One side's orders by the venue's id and by ours."""

    def __init__(self, orders: Iterable[Working]) -> None:
        self.orders = list(orders)
        self._by_venue_id = {one.venue_order_id: one for one in self.orders if one.venue_order_id}
        self._by_client_id = {
            one.client_order_id: one for one in self.orders if one.client_order_id
        }

    def of(self, other: Working) -> Working | None:
        return self._by_venue_id.get(other.venue_order_id) or self._by_client_id.get(
            other.client_order_id
        )


def _order(here: Working | None, there: Working | None) -> Difference:
    known = here or there
    assert known is not None  # noqa: S101 -- one of the two sides always has it
    if here is None:
        key, words = f"order:there:{known.venue_order_id}", "works at the venue and not here"
    else:
        key = f"order:here:{known.client_order_id}"
        if there is None:
            words = "works here and is not known at the venue"
        elif here.is_open != there.is_open:
            words = f"works {'here and not at the venue' if here.is_open else 'at the venue and not here'}"
        else:
            words = "filled differently"
    return Difference(
        key=key,
        kind=Kind.ORDER,
        title=f"{known.symbol}: an order {words}",
        amount=_how_much(here, there),
        unit=known.base or known.symbol,
        ours=here.record if here else {},
        theirs=there.record if there else {},
    )


def _how_much(here: Working | None, there: Working | None) -> Decimal:
    """Measure by what is filled where both sides know the order, else by what is left to fill."""
    with localcontext(_EXACT):
        if here is not None and there is not None and here.filled != there.filled:
            return there.filled - here.filled
        known = here or there
        assert known is not None  # noqa: S101 -- one of the two sides always has it
        left = (known.quantity or known.filled) - known.filled
        is_theirs = here is None or (there is not None and there.is_open and not here.is_open)
        return left if is_theirs else -left


def seen_twice(first: Iterable[Difference], second: Iterable[Difference]) -> list[Difference]:
    """Keep what both looks agree on: the rest was only on its way."""
    before = {one.key for one in first}
    return [one for one in second if one.key in before]
