"""How a venue is doing: what it wrote that we do not know, when it rests, what it last answered."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class DriftReport(models.Model):
    """A word, member or shape of a venue's that we have no meaning for: one row a kind of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="drift")
    place = models.CharField(max_length=100)
    kind = models.CharField(max_length=60)
    value = models.CharField(max_length=200)
    sample = models.CharField(max_length=500)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=1)
    version = models.CharField(max_length=40, help_text="The adapter that last met it.")
    is_known = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)
    known_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    known_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["is_known", "-last_seen"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "place", "kind", "value"], name="drift_once_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(is_known=False)
                | (~Q(note="") & Q(known_by__isnull=False) & Q(known_at__isnull=False)),
                name="drift_known_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.venue}: {self.value}"


class MaintenanceQuerySet(models.QuerySet["Maintenance"]):
    def ahead(self) -> MaintenanceQuerySet:
        """Those that are going on or still to come."""
        return self.filter(called_off_at=None, ends_at__gt=timezone.now())


class Maintenance(models.Model):
    """A span in which a venue rests or may not answer, as somebody of the desk entered it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="maintenance")
    starts_at = models.DateTimeField("from")
    ends_at = models.DateTimeField("to")
    note = models.CharField(max_length=300)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, editable=False, related_name="+"
    )
    entered_at = models.DateTimeField(auto_now_add=True)
    called_off_at = models.DateTimeField(null=True, editable=False)

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        verbose_name_plural = "maintenance"
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="maintenance_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=~Q(note=""), name="maintenance_says_what_for"),
        ]

    def __str__(self) -> str:
        return f"{self.venue}, {self.starts_at:%d %b %H:%M} to {self.ends_at:%d %b %H:%M} UTC"


class VenueHealth(models.Model):
    """What a venue answered when beat last had it asked; one row a venue."""

    venue = models.OneToOneField(
        "venues.Venue", on_delete=models.PROTECT, primary_key=True, related_name="health"
    )
    asked_at = models.DateTimeField()
    is_up = models.BooleanField()
    since = models.DateTimeField()
    latency_ms = models.FloatField(null=True)
    offset_ms = models.FloatField(null=True)
    is_offset_told = models.BooleanField(default=False)
    words = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.venue} {'up' if self.is_up else 'away'}"
