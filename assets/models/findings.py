"""What the scan found that may be one thing twice, or one thing posing as another. People decide about it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q


class FindingKind(models.TextChoices):
    ADDRESS = "same_address", "One address, several assets"
    NEAR = "near_address", "Addresses nearly the same"
    LOOK = "looks_alike", "Names that read alike"
    SYMBOL = "same_symbol", "One ticker, several assets"


class FindingState(models.TextChoices):
    OPEN = "open", "Open"
    DISMISSED = "dismissed", "Dismissed"
    CONFIRMED = "confirmed", "Confirmed and merged"
    OVER = "over", "No longer so"


class Finding(models.Model):
    """Several assets share something that only one should have. There is one row of each such thing.

    Whoever dismisses it says why, and it stays dismissed until something is found that was not there
    then: another asset, or another text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=FindingKind)
    key = models.CharField("what they share", max_length=200)
    assets = ArrayField(models.UUIDField())
    evidence = ArrayField(models.CharField(max_length=400))
    state = models.CharField(max_length=10, choices=FindingState, default=FindingState.OPEN)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    dismissed_at = models.DateTimeField(null=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    dismissed_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="finding_is_opened_once"),
            models.CheckConstraint(
                condition=Q(state__in=FindingState.values), name="finding_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FindingKind.values), name="finding_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(last_seen_at__gte=models.F("first_seen_at")),
                name="finding_is_seen_forward",
            ),
            # Who dismissed it and why stays readable after it was opened again.
            models.CheckConstraint(
                condition=(Q(dismissed_at=None, dismissed_by=None, dismissed_reason=""))
                | (
                    Q(dismissed_at__isnull=False, dismissed_by__isnull=False)
                    & ~Q(dismissed_reason="")
                ),
                name="finding_is_dismissed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state=FindingState.DISMISSED) | Q(dismissed_at__isnull=False),
                name="finding_is_dismissed_by_somebody",
            ),
        ]
        indexes = [
            GinIndex(fields=["assets"], name="finding_by_asset"),
            models.Index(fields=["state", "-opened_at"], name="finding_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.key}"

    @property
    def is_open(self) -> bool:
        return self.state == FindingState.OPEN
