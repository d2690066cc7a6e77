"""The outbox: what happened, in the transaction in which it happened, until it is published."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

WAITING = Q(published_at=None)


class Event(models.Model):
    """One event. The relay alone writes what became of it."""

    id = models.BigAutoField(primary_key=True)
    aggregate = models.CharField(max_length=40)
    aggregate_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField()
    payload = models.TextField(help_text="JSON, exactly as it is published.")
    at = models.DateTimeField()
    request_id = models.CharField(max_length=64, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)

    published_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    is_dead = models.BooleanField(default=False)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["id"], condition=WAITING, name="event_waits"),
            models.Index(
                fields=["aggregate", "aggregate_id", "id"],
                condition=WAITING & Q(attempts__gt=0),
                name="event_in_trouble",
            ),
            models.Index(
                fields=["aggregate", "-published_at", "-id"],
                condition=~WAITING,
                name="event_last_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.aggregate_id}"
