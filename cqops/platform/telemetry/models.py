from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from cqops.platform.telemetry.notes import Severity


class Heartbeat(models.Model):
    """When each process last said that it works."""

    process = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)
    is_well = models.BooleanField(default=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} at {self.at:%H:%M:%S}"


class Sight(models.Model):
    """What a process last saw of something outside itself, and since when it has been so."""

    name = models.CharField(max_length=80, primary_key=True)
    is_up = models.BooleanField()
    at = models.DateTimeField()
    since = models.DateTimeField()
    words = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.name} {'up' if self.is_up else 'away'} since {self.since:%H:%M:%S}"


class OpsEvent(models.Model):
    """What happened to the desk itself. Append-only: the database lets retention delete, nobody else.

    `count` is how often it happened from `since` to `at`: repeats are folded before they are written.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    process = models.CharField(max_length=32)
    severity = models.CharField(
        max_length=9, choices=[(one.value, one.value.title()) for one in Severity]
    )
    kind = models.CharField(max_length=64)
    words = models.CharField(max_length=500)
    labels = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="") & ~Q(process=""), name="ops_event_names_kind_and_process"
            ),
            models.CheckConstraint(
                condition=Q(since__lte=F("at")) & Q(count__gte=1), name="ops_event_counts_forward"
            ),
        ]
        indexes = [
            models.Index(F("severity"), F("id").desc(), name="ops_by_severity"),
            models.Index(F("kind"), F("id").desc(), name="ops_by_kind"),
            models.Index(F("process"), F("id").desc(), name="ops_by_process"),
            BrinIndex(fields=["at"], name="ops_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.process}"
