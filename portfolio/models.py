from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from assets.fields import AmountField
from assets.models import Asset
from portfolio.pnl import Holding
from portfolio.reconcile import Kind
from trading.models import ExecutionReport, Portfolio
from venues.models import Account


class PositionQuerySet(models.QuerySet["Position"]):
    def with_names(self) -> PositionQuerySet:
        return self.select_related("portfolio", "account__venue", "asset", "quote")


class Position(models.Model):
    """What a portfolio holds of one asset against one quote asset, at one account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    portfolio = models.ForeignKey(Portfolio, on_delete=models.PROTECT, related_name="positions")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="positions")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="positions")
    quote = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="+")
    quantity = AmountField(default=Decimal(0))
    cost = AmountField(default=Decimal(0))
    realised = AmountField(default=Decimal(0))
    fees = AmountField(default=Decimal(0))
    executions = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        ordering = ["portfolio__name", "asset__symbol"]
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio", "account", "asset", "quote"], name="one_position_a_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} {self.asset} of {self.portfolio}"

    @property
    def holding(self) -> Holding:
        return Holding(
            quantity=self.quantity, cost=self.cost, realised=self.realised, fees=self.fees
        )

    @property
    def average_price(self) -> Decimal | None:
        return self.holding.average_price


class PositionEntry(models.Model):
    """That one execution was booked into one position. Its existence makes booking exactly once."""

    execution = models.OneToOneField(
        ExecutionReport, on_delete=models.PROTECT, primary_key=True, related_name="position_entry"
    )
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="entries")
    booked_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.execution_id}"


class Outcome(models.TextChoices):
    """How a reconciliation ended; one that was cut short has proved nothing."""

    CLEAN = "clean", "Clean"
    BREAKS = "breaks", "Breaks"
    NOT_CHECKED = "not_checked", "Not checked"


class Trigger(models.TextChoices):
    SCHEDULE = "schedule", "The schedule"
    PERSON = "person", "A person"


class Reconciliation(models.Model):
    """One comparison of an account with its venue, from the asking to the end."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="reconciliations")
    triggered_by = models.CharField(max_length=8, choices=Trigger)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    stage = models.CharField(max_length=80, default="waiting for a worker")

    outcome = models.CharField(max_length=11, choices=Outcome, blank=True)
    words = models.CharField(max_length=500, blank=True)
    fills_since = models.DateTimeField(null=True, blank=True)
    balances_compared = models.PositiveIntegerField(default=0)
    orders_compared = models.PositiveIntegerField(default=0)
    fills_compared = models.PositiveIntegerField(default=0)
    breaks_open = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(finished_at=None),
                name="one_reconciliation_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None, outcome="")
                | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="reconciliation_ends_with_an_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-requested_at"], name="reconciliation_by_account")
        ]

    def __str__(self) -> str:
        return f"{self.account} at {self.requested_at:%Y-%m-%d %H:%M}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


class BreakState(models.TextChoices):
    OPEN = "open", "Open"
    EXPLAINED = "explained", "Explained"
    CLOSING = "closing", "Waits for a second person"
    CLOSED = "closed", "Closed by two people"
    RESOLVED = "resolved", "Resolved by evidence"


UNRESOLVED = (BreakState.OPEN, BreakState.EXPLAINED, BreakState.CLOSING)
BREAK_SENTENCES = {
    BreakState.OPEN: "Nobody has explained it yet.",
    BreakState.EXPLAINED: "Somebody wrote down why. It stays until the difference is gone or two "
    "people close it.",
    BreakState.CLOSING: "One person asked to close it; another has to agree.",
    BreakState.CLOSED: "Two people accepted this difference. If it changes, it opens again.",
    BreakState.RESOLVED: "The difference is gone; a later comparison proved it.",
}


class Break(models.Model):
    """One difference between our books and a venue's, the same row for as long as it lasts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="breaks")
    key = models.CharField(max_length=200, help_text="What it is about, so that it is found again.")
    kind = models.CharField(
        max_length=20, choices=[(one.value, one.value.replace("_", " ")) for one in Kind]
    )
    title = models.CharField(max_length=200)
    amount = AmountField(help_text="Theirs less ours.")
    unit = models.CharField(max_length=40)
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    happened_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=9, choices=BreakState, default=BreakState.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_run = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, null=True, blank=True, related_name="breaks"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    accepted_amount = AmountField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True)
    closing_request = models.UUIDField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-first_seen_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="one_break_a_difference")
        ]
        indexes = [
            models.Index(fields=["-first_seen_at", "-id"], name="break_by_time"),
            models.Index(
                fields=["account"],
                condition=Q(state__in=["open", "explained", "closing"]),
                name="break_unresolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.amount:f} {self.unit}"

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED

    @property
    def sentence(self) -> str:
        return BREAK_SENTENCES[BreakState(self.state)]

    @property
    def age_days(self) -> int:
        return ((self.ended_at or timezone.now()) - self.first_seen_at).days


class BreakNote(models.Model):
    """What somebody, or the reconciliation itself, wrote about a break. Append-only."""

    id = models.BigAutoField(primary_key=True)
    about = models.ForeignKey(Break, on_delete=models.PROTECT, related_name="notes")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    words = models.CharField(max_length=1000)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.words


class OpeningBalance(models.Model):
    """What an account held of a currency before the first execution we know. Append-only.

    The first reconciliation takes it: what the venue held then, less everything executed up to then.
    A later one replaces it and needs a person, with a reason.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="opening_balances")
    currency = models.CharField(max_length=32)
    amount = AmountField()
    taken_at = models.DateTimeField()
    is_first_sight = models.BooleanField(default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["account", "currency", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency"],
                condition=Q(is_first_sight=True),
                name="first_sight_once_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(is_first_sight=True, by=None)
                | (Q(is_first_sight=False, by__isnull=False) & ~Q(reason="")),
                name="later_opening_balance_names_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency} at {self.account}"
