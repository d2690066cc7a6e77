"""What an approver weighs a large order by, beside its instruction.

What the checks found, what it would do, what else was traded today, how long there is to send it, and
what became of it. The venue is never asked to simulate an order: what is shown is reckoned here, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import ROUND_UP, Decimal

from django.conf import settings
from django.db.models import Count, F, Sum
from django.utils import timezone

from cqops.platform.approvals.exhibits import Clock, Effect, Finding, Forecast, Severity, Step
from cqops.platform.approvals.instruction import Content
from trading.models import ExecutionReport, Order
from trading.services.checks import Outcome, Verdict
from trading.services.holdings import held
from trading.services.worth import REPORTING, counted_price, worth
from trading.states import AT_THE_VENUE, State
from venues.interface.numbers import exactly, plain
from venues.interface.types import Liquidity, Side
from venues.services.books import Touch, read_touch

HOW_GRAVE: dict[Outcome, Severity] = {
    Outcome.BLOCK: Severity.HIGH,
    Outcome.WARN: Severity.HIGH,
    Outcome.NEEDS_APPROVAL: Severity.MEDIUM,
    Outcome.ALLOW: Severity.CLEAR,
}
NOT_SIMULATED = Finding(
    Severity.MEDIUM,
    "Not simulated by the venue",
    "The venue was not asked what this order would do. What is shown is our own reckoning.",
    is_confirmed_apart=True,
)
LAST_FEES = 100
SHARE = Decimal("0.000001")
MOST_STEPS = 60
NEVER_LEFT = [State.REFUSED, State.DENIED, State.VOIDED, State.WITHDRAWN, State.UNSENT]


def findings_of(order: Order, verdicts: Iterable[Verdict]) -> list[Finding]:
    """Give what the checks said its severity, and add what only matters to a second person."""
    found = [Finding(HOW_GRAVE[one.outcome], one.check, one.words) for one in verdicts]
    return [NOT_SIMULATED, *_first_time(order), *found]


def _first_time(order: Order) -> list[Finding]:
    earlier = Order.objects.filter(
        portfolio=order.portfolio_id, symbol=order.symbol_id, filled_quantity__gt=0
    )
    if earlier.exists():
        return []
    words = f"{order.portfolio.name} has never traded {order.symbol.symbol} here."
    return [Finding(Severity.LOW, "First time", words)]


def price_of(order: Order, touch: Touch) -> Decimal | None:
    """Price the order at the worst it may reach: its limit, its bound, else the touch."""
    return order.limit_price or order.worst_price or touch.facing(Side(order.side))


def fee_rate(order: Order) -> Decimal | None:
    """Take the highest fee of the account's last executions; unknown before the first one."""
    recent = ExecutionReport.objects.filter(
        account=order.account_id,
        symbol__quote=order.symbol.quote_id,
        fee_currency=order.symbol.quote.symbol,
    )
    if order.post_only:
        recent = recent.filter(liquidity=Liquidity.MAKER)
    last = recent.order_by("-executed_at").values_list("fee", "quantity", "price")[:LAST_FEES]
    rates: list[Decimal] = [fee / (quantity * price) for fee, quantity, price in last]
    return max(rates).quantize(SHARE, rounding=ROUND_UP) if rates else None


@exactly()
def expected_fee(order: Order, touch: Touch) -> Decimal | None:
    """Say what the venue would take at most, as far as its last fees tell."""
    rate, price = fee_rate(order), price_of(order, touch)
    if rate is None or price is None:
        return None
    places = Decimal(1).scaleb(-order.symbol.quote.display_places)
    fee: Decimal = order.quantity * price * rate
    return fee.quantize(places, rounding=ROUND_UP)


@exactly()
def forecast_of(order_id: str) -> Forecast:
    """Say what a complete fill would do to both assets, and what it would cost."""
    order = Order.objects.with_names().get(pk=order_id)
    touch = read_touch(order.symbol, now=timezone.now())
    price, fee = price_of(order, touch), expected_fee(order, touch)
    is_buy = order.side == Side.BUY
    sign = 1 if is_buy else -1
    before = held(portfolio=order.portfolio, account=order.account, symbol=order.symbol)
    base, quote = order.symbol.base.symbol, order.symbol.quote.symbol
    bound = "at most" if is_buy else "at least"
    effects = (
        Effect(
            what=base,
            amount=sign * order.quantity,
            before=before,
            after=before + sign * order.quantity,
            words=f"held by {order.portfolio.name} at {order.account.name}",
        ),
        Effect(
            what=quote,
            amount=None if price is None else -sign * order.quantity * price,
            words="not known without a price"
            if price is None
            else f"{bound}, at {plain(price)} each",
        ),
        Effect(
            what=f"{quote} fee",
            amount=None if fee is None else -fee,
            words="not known: this account has no execution yet to tell by"
            if fee is None
            else "at most, by the highest of this account's last fees",
        ),
    )
    basis = "Reckoned by this desk for a complete fill; the venue did not simulate it. The fee may differ."
    return Forecast(effects, basis)


def context_of(order_id: str) -> Content:
    """Lay beside it what the same portfolio traded today, and the limits that exist."""
    order = Order.objects.with_names().get(pk=order_id)
    quote = order.symbol.quote.symbol
    now = timezone.now()
    today = Order.objects.filter(
        portfolio=order.portfolio_id,
        symbol__quote=order.symbol.quote_id,
        placed_at__gte=now.replace(hour=0, minute=0, second=0, microsecond=0),
    ).exclude(pk=order.pk)
    filled = today.filter(filled_quantity__gt=0).aggregate(n=Count("pk"), value=Sum("filled_value"))
    working = today.filter(state__in=AT_THE_VENUE).aggregate(
        n=Count("pk"), value=Sum((F("quantity") - F("filled_quantity")) * F("limit_price"))
    )
    large = today.filter(needs_approval=True)
    went = large.exclude(state__in=[*NEVER_LEFT, State.AWAITING_APPROVAL]).count()
    return {
        "Limit an order": _share_of_limit(order, read_touch(order.symbol, now=now)),
        "Limit a day": "none is set on this desk",
        f"Filled today for {order.portfolio.name}": _total(filled, quote),
        f"Working now for {order.portfolio.name}": _total(working, quote),
        "Above the threshold today": f"{large.count()} asked for, {went} sent",
    }


def _share_of_limit(order: Order, touch: Touch) -> str:
    price = counted_price(side=Side(order.side), limit_price=order.limit_price, touch=touch)
    found = worth(
        quantity=order.quantity, price=price, quote=order.symbol.quote, now=timezone.now()
    )
    most = f"{settings.ORDER_MAX_NOTIONAL:,} {REPORTING}"
    if found.value is None:
        return f"at most {most}; its value is not known"
    return f"uses {found.value / settings.ORDER_MAX_NOTIONAL:.0%} of {most}"


def _total(found: dict[str, Decimal | int | None], quote: str) -> str:
    if not found["n"]:
        return "nothing"
    many = "order" if found["n"] == 1 else "orders"
    return f"{found['n']} {many}, {found['value'] or 0:,.2f} {quote}"


def clock_of(order_id: str) -> Clock | None:
    """Name the time there is to send it, once it waits for nothing else."""
    order = Order.objects.get(pk=order_id)
    if order.state != State.QUEUED:
        return None
    within = timedelta(seconds=settings.ORDER_SEND_WITHIN_SECONDS)
    return Clock(
        label="Send within",
        since=order.send_before - within,
        until=order.send_before,
        at_zero="Then it ends unsent; nothing reaches the venue.",
    )


def timeline_of(order_id: str) -> list[Step]:
    """Tell the order's own steps after the approval, and each execution, as they happened."""
    order = Order.objects.with_names().get(pk=order_id)
    moves = order.moves.exclude(here="")[:MOST_STEPS]
    steps = [Step(move.at, move.there, _words(order, move.there, move.reason)) for move in moves]
    fills = order.executions.order_by("executed_at")[:MOST_STEPS]
    steps += [Step(one.executed_at, "execution", _fill(one, order)) for one in fills]
    return sorted(steps, key=lambda step: step.at)


def _words(order: Order, there: str, reason: str) -> str:
    if there == State.ACKNOWLEDGED and order.venue_order_id:
        return f"{reason} Venue's id {order.venue_order_id}".strip()
    return reason


def _fill(one: ExecutionReport, order: Order) -> str:
    quote = order.symbol.quote.symbol
    what = f"{plain(one.quantity)} {order.symbol.base.symbol} at {plain(one.price)} {quote}"
    return f"{what}, fee {plain(one.fee)} {one.fee_currency}"
