"""One look at both sides of an account, so that they speak of the same moment.

On our side counts what was booked before the venue was asked, and what its own list proves; no clock
of the venue's is compared with ours. Orders are read here before and after they are read there, and
one that moved in between is left to the next look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from assets.fields import DIGITS, PLACES
from portfolio.models import OpeningBalance
from portfolio.reconcile import (
    Booked,
    Difference,
    added,
    compare_balances,
    compare_fills,
    compare_orders,
    plain,
    total_of,
)
from portfolio.services.open_orders import Orders, read_orders
from portfolio.services.venue_side import read_quiet_moment
from trading.models import ExecutionReport
from venues.interface.types import Fill, Side
from venues.models import Account, VenueSymbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What did not agree at one moment, and how much was compared."""

    differences: list[Difference]
    balances: int
    orders: int
    fills: int
    missing_here: list[Fill]
    unmapped: int


class Symbols:
    """What a venue's symbols mean in assets."""

    def __init__(self, account: Account) -> None:
        known = VenueSymbol.objects.known().filter(venue=account.venue_id)
        rows = known.order_by(F("valid_from").asc(nulls_first=True))
        self._meaning = {
            row.symbol: (row.base.symbol, row.quote.symbol)
            for row in rows.select_related("base", "quote")
        }

    @property
    def bases(self) -> dict[str, str]:
        return {symbol: base for symbol, (base, _) in self._meaning.items()}

    def of(self, text: str) -> tuple[str, str]:
        return self._meaning.get(text, ("", ""))


def look(*, account: Account, since: datetime) -> Look:
    """Compare both sides once; a venue that does not answer raises `VenueError`."""
    symbols = Symbols(account)
    orders = read_orders(account, bases=symbols.bases)
    asked_at = timezone.now()
    fills, held = read_quiet_moment(account, since=since)
    theirs = {key: _told(fill, symbols) for key, fill in fills.items()}
    proven = Q(venue_execution_id__in=list(fills))
    counted = ExecutionReport.objects.filter(account=account).filter(
        Q(recorded_at__lt=asked_at) | proven
    )
    rows = list(
        counted.filter(Q(executed_at__gte=since) | proven).select_related(
            "symbol__base", "symbol__quote"
        )
    )
    ours = {row.venue_execution_id: _booked(row) for row in rows}
    expected = _expected(
        account,
        movements=_sums(counted),
        to_come=[one for key, one in theirs.items() if key not in ours],
        held=held,
    )
    return Look(
        differences=[
            *compare_balances(expected, held),
            *compare_orders(orders.ours, orders.theirs),
            *compare_fills(ours, theirs),
        ],
        balances=len({*expected, *held}),
        orders=_count(orders),
        fills=len({*ours, *theirs}),
        missing_here=[fill for key, fill in fills.items() if key not in ours],
        unmapped=counted.filter(symbol=None).count(),
    )


def _count(orders: Orders) -> int:
    ids = {one.venue_order_id or one.client_order_id for one in [*orders.ours, *orders.theirs]}
    return len(ids)


def _expected(
    account: Account,
    *,
    movements: Mapping[str, Decimal],
    to_come: Iterable[Booked],
    held: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    """Tell what the account should hold; the first look takes the opening balances."""
    opening = opening_balances(account)
    if not opening:
        # What the venue lists and we have yet to book is already inside its balances.
        known = added(movements, total_of(to_come))
        opening = added(
            held, {currency: amount.copy_negate() for currency, amount in known.items()}
        )
        _take_first_sight(account, opening, held)
    return added(opening, movements)


@transaction.atomic
def _take_first_sight(
    account: Account, opening: Mapping[str, Decimal], held: Mapping[str, Decimal]
) -> None:
    now = timezone.now()
    OpeningBalance.objects.bulk_create(
        OpeningBalance(
            account=account,
            currency=currency,
            amount=amount,
            taken_at=now,
            is_first_sight=True,
            reason=f"The venue told {plain(held.get(currency, Decimal(0)))} at first sight.",
        )
        for currency, amount in sorted(opening.items())
    )


def opening_balances(account: Account) -> dict[str, Decimal]:
    """Read what each currency started with; the latest word counts."""
    rows = OpeningBalance.objects.filter(account=account).order_by("id")
    return dict(rows.values_list("currency", "amount"))


def _sums(counted: QuerySet[ExecutionReport]) -> dict[str, Decimal]:
    """Add up what executions moved, in the database: the whole history goes into a balance."""
    found: dict[str, Decimal] = {}
    mapped = counted.exclude(symbol=None).values(
        "symbol__base__symbol", "symbol__quote__symbol", "side"
    )
    for row in mapped.annotate(
        bought=Sum("quantity"), paid=Sum(F("quantity") * F("price"))
    ).order_by():
        is_buy = row["side"] == Side.BUY
        base, quote = row["bought"], row["paid"]
        found = added(
            found,
            {row["symbol__base__symbol"]: base if is_buy else base.copy_negate()},
            {row["symbol__quote__symbol"]: quote.copy_negate() if is_buy else quote},
        )
    fees = counted.values_list("fee_currency").annotate(paid=Sum("fee")).order_by()
    return added(found, *({currency: paid.copy_negate()} for currency, paid in fees))


def _told(fill: Fill, symbols: Symbols) -> Booked:
    base, quote = symbols.of(fill.symbol)
    return Booked(
        execution_id=fill.venue_execution_id,
        order_id=fill.venue_order_id,
        symbol=fill.symbol,
        base=base,
        quote=quote,
        is_buy=fill.side is Side.BUY,
        quantity=_as_stored(fill.quantity),
        price=_as_stored(fill.price),
        fee=_as_stored(fill.fee),
        fee_currency=fill.fee_currency,
        at=fill.executed_at,
    )


def _booked(row: ExecutionReport) -> Booked:
    return Booked(
        execution_id=row.venue_execution_id,
        order_id=row.venue_order_id,
        symbol=row.symbol_text,
        base=row.symbol.base.symbol if row.symbol else "",
        quote=row.symbol.quote.symbol if row.symbol else "",
        is_buy=row.side == Side.BUY,
        quantity=row.quantity,
        price=row.price,
        fee=row.fee,
        fee_currency=row.fee_currency,
        at=row.executed_at,
    )


def _as_stored(amount: Decimal) -> Decimal:
    """Round as the database does, where a venue tells more places than it keeps."""
    places = amount.as_tuple().exponent
    if not isinstance(places, int) or places >= -PLACES:
        return amount
    with localcontext(Context(prec=DIGITS)):
        return amount.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)
