from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from assets.fields import AmountField
from cqops.platform.telemetry.trace import TRACEPARENT_LENGTH
from trading.states import AT_THE_VENUE, DONE, SENTENCES, UNPROVEN, State
from venues.interface.numbers import exactly, plain
from venues.interface.types import Liquidity, OrderType, Side, TimeInForce
from venues.models import Account, VenueSymbol


def _choices(
    words: type[Side | OrderType | TimeInForce | Liquidity | State],
) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ").capitalize()) for word in words]


class PortfolioKind(models.TextChoices):
    FUND = "fund", "Fund"
    BOOK = "book", "Book"
    STRATEGY = "strategy", "Strategy"


class Portfolio(models.Model):
    """Whose money an order moves: a fund, a book or a strategy."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=PortfolioKind)
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SwitchMode(models.TextChoices):
    ON = "on", "On"
    REDUCE_ONLY = "reduce_only", "Reduce only"
    OFF = "off", "Off"


class SwitchScope(models.TextChoices):
    DESK = "desk", "The whole desk"
    VENUE = "venue", "One venue"
    ACCOUNT = "account", "One account"
    ASSET = "asset", "One asset"
    CONSUMER = "consumer", "One consumer"


class TradingSwitch(models.Model):
    """Whether trading is on, for the desk or a part of it; the strictest that applies wins."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scope = models.CharField(max_length=8, choices=SwitchScope)
    subject_id = models.UUIDField(
        null=True, blank=True, help_text="Which venue, account, asset or consumer; empty for desk."
    )
    mode = models.CharField(max_length=11, choices=SwitchMode, default=SwitchMode.ON)
    reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    # What a second person agreed to when it was last loosened.
    approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta:
        verbose_name_plural = "trading switches"
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "subject_id"], nulls_distinct=False, name="one_switch_a_scope"
            ),
            models.CheckConstraint(
                condition=Q(scope="desk", subject_id=None)
                | (~Q(scope="desk") & Q(subject_id__isnull=False)),
                name="switch_names_its_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.get_mode_display()}"


class OrderQuerySet(models.QuerySet["Order"]):
    def with_names(self) -> OrderQuerySet:
        return self.select_related(
            "account__venue",
            "portfolio",
            "symbol__venue",
            "symbol__listing",
            "symbol__base",
            "symbol__quote",
            "placed_by",
            "approval",
        )

    def open(self) -> OrderQuerySet:
        return self.exclude(state__in=DONE)


class Order(models.Model):
    """One instruction and what became of it. Only `trading.services.orders` writes its state."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_order_id = models.CharField(max_length=64)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="orders")
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="orders")
    symbol = models.ForeignKey(VenueSymbol, on_delete=models.PROTECT, related_name="orders")
    side = models.CharField(max_length=4, choices=_choices(Side))
    order_type = models.CharField(max_length=10, choices=_choices(OrderType))
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    post_only = models.BooleanField(default=False)
    quantity = AmountField()
    limit_price = AmountField(null=True, blank=True)

    worst_price = AmountField(
        null=True, blank=True, help_text="What an approver accepts at worst for a market order."
    )

    state = models.CharField(max_length=20, choices=_choices(State), default=State.QUEUED)
    reason = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    venue_order_id = models.CharField(max_length=100, blank=True)
    filled_quantity = AmountField(default=Decimal(0))
    filled_value = AmountField(default=Decimal(0))
    is_cancel_requested = models.BooleanField(default=False)

    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders"
    )
    placed_at = models.DateTimeField()
    traceparent = models.CharField(
        max_length=TRACEPARENT_LENGTH,
        blank=True,
        db_default="",
        help_text="Where in which trace it was placed.",
    )
    send_before = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(null=True, blank=True)
    cancel_sent_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    verdicts = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    needs_approval = models.BooleanField(default=False)
    approval = models.OneToOneField(
        "approvals.Request", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    purpose = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="What it is for, in the words of who placed it.",
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "client_order_id"], name="client_order_id_once_an_account"
            ),
            models.UniqueConstraint(
                fields=["account", "venue_order_id"],
                condition=~Q(venue_order_id=""),
                name="venue_order_id_once_an_account",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(
                condition=Q(order_type="market", limit_price=None)
                | (~Q(order_type="market") & Q(limit_price__gt=0)),
                name="order_price_fits_its_type",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(released_at__isnull=False)
                | Q(state__in=sorted(frozenset(State) - UNPROVEN - AT_THE_VENUE)),
                name="order_at_the_venue_was_released",
            ),
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="order_by_time"),
            models.Index(
                fields=["state"], condition=~Q(state__in=sorted(DONE)), name="order_still_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {plain(self.quantity)} {self.symbol.symbol}"

    @property
    def remaining_quantity(self) -> Decimal:
        with exactly():
            remaining: Decimal = self.quantity - self.filled_quantity
        return max(remaining, Decimal(0))

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_value / self.filled_quantity if self.filled_quantity else None

    @property
    def is_done(self) -> bool:
        return State(self.state) in DONE

    @property
    def can_cancel(self) -> bool:
        """Whether a cancel makes sense now; asking twice does no harm at the venue."""
        return not self.is_done and not self.is_cancel_requested

    @property
    def sentence(self) -> str:
        if self.is_cancel_requested and not self.is_done:
            return "A cancel is on its way; fills may still arrive until the venue confirms it."
        return SENTENCES[State(self.state)]


class OrderMove(models.Model):
    """One step in an order's life, with its evidence. Append-only."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="moves")
    here = models.CharField(max_length=20, blank=True)
    there = models.CharField(max_length=20)
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    evidence = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.here or 'new'} to {self.there}"


class ExecutionReport(models.Model):
    """One fill, exactly as the venue reported it. Append-only, and unique by the venue's own id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="executions")
    venue_execution_id = models.CharField(max_length=120)
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="executions"
    )
    symbol = models.ForeignKey(
        VenueSymbol, on_delete=models.PROTECT, null=True, blank=True, related_name="executions"
    )
    symbol_text = models.CharField(max_length=40, help_text="As the venue wrote it.")
    venue_order_id = models.CharField(max_length=100)
    side = models.CharField(max_length=4, choices=_choices(Side))
    price = AmountField()
    quantity = AmountField()
    fee = AmountField()
    fee_currency = models.CharField(max_length=32)
    liquidity = models.CharField(max_length=7, choices=_choices(Liquidity))
    executed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    raw = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["-executed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "venue_execution_id"], name="execution_recorded_once"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) & Q(price__gt=0), name="execution_amounts_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {plain(self.quantity)} at {plain(self.price)}"


class SweepMark(models.Model):
    """Up to when an account's fills are known to be complete."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True)
    fills_until = models.DateTimeField()
    swept_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account} until {self.fills_until:%H:%M:%S}"
