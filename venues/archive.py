"""What was on the wire, as it is kept: private frames, requests and answers, redacted, for years.

The table of frames is partitioned by the day they were received or sent; Django sees one table. It is
append-only, and old days leave it only as whole partitions, by the function retention calls.
"""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class RawFrame(models.Model):
    """One frame, request or answer. `names` are the ids it speaks of, ours and the venue's, in lower case.

    What it belongs to is told by those names and not by a key: a frame is kept whether or not we know
    the order, and before anybody has looked.
    """

    # Made by whoever writes, so that the same frame written twice is kept once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField()
    number = models.BigIntegerField()
    venue = models.CharField(max_length=40)
    account = models.UUIDField(null=True)
    is_public = models.BooleanField(default=False)
    direction = models.CharField(max_length=8)
    kind = models.CharField(max_length=8)
    operation = models.CharField(max_length=60, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    line = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    size = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    names = ArrayField(models.CharField(max_length=100), default=list)
    process = models.CharField(max_length=32, blank=True)
    # An answer that said again what this one of the same day said; it has no text and no names of its own.
    same_as = models.UUIDField(null=True)

    class Meta:
        ordering = ["at", "number"]

    def __str__(self) -> str:
        return f"{self.direction} {self.kind} of {self.venue} at {self.at:%H:%M:%S.%f}"


class ArchiveDay(models.Model):
    """What one venue brought on one day, so that no page has to add up a partition."""

    venue = models.CharField(max_length=40)
    day = models.DateField()
    frames = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    public_bytes = models.PositiveBigIntegerField(default=0)
    lost = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-day", "venue"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "day"], name="archive_day_once_a_venue")
        ]

    def __str__(self) -> str:
        return f"{self.venue} on {self.day:%Y-%m-%d}"


class WindowState(models.TextChoices):
    WANTED = "wanted", "Waits for its end"
    KEPT = "kept", "Kept"
    CUT = "cut", "Kept in part"
    MISSED = "missed", "Not kept"


class MarketWindow(models.Model):
    """The public market around one order: asked for by whoever sends, cut from the ring by the feeds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.CharField(max_length=40)
    symbol = models.CharField(max_length=40)
    reference = models.CharField(max_length=100)
    around = models.DateTimeField()
    state = models.CharField(max_length=6, choices=WindowState, default=WindowState.WANTED)
    words = models.CharField(max_length=200, blank=True)
    frames = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-around"]
        indexes = [
            models.Index(
                fields=["around"],
                condition=models.Q(state="wanted"),
                name="market_window_wanted",
            ),
            models.Index(fields=["reference"], name="market_window_of_an_order"),
        ]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.venue} around {self.around:%H:%M:%S}"
