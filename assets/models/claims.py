"""Dated claims on two clocks: when something was true in the world, and when the desk knew it.

A claim is never edited. What turns out otherwise is superseded, and another claim is recorded in its
place at the same moment; so what was known at any moment can be asked for ever. The database refuses
every edit but that one, every deletion, and any two claims that contradict each other at some pair
of the two clocks.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone


class ClaimQuerySet(models.QuerySet[Any]):
    def at(self, *, as_of: datetime, known_at: datetime) -> Self:
        """Keep what was true at one moment, as far as it was known at another."""
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=as_of),
            Q(valid_to=None) | Q(valid_to__gt=as_of),
            Q(superseded_at=None) | Q(superseded_at__gt=known_at),
            recorded_at__lte=known_at,
        )

    def known(self) -> Self:
        """Keep what is held to be true now, of whatever time."""
        return self.filter(superseded_at=None)


class Claim(models.Model):
    """Something said about an asset, for a span of time, by somebody.

    An empty `valid_from` is always, an empty `valid_to` is until further notice; both spans take in
    their first moment and not their last.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    valid_from = models.DateTimeField("true since", null=True, blank=True)
    valid_to = models.DateTimeField("true until", null=True, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)
    superseded_at = models.DateTimeField(null=True, blank=True, editable=False)
    source = models.CharField(max_length=120, help_text="Who says so: a person, a list, a venue.")
    # Empty where it was seeded, or brought in before there were people.
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = ClaimQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-recorded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="%(class)s_is_true_for_a_while",
            ),
            models.CheckConstraint(
                condition=Q(superseded_at=None) | Q(superseded_at__gte=F("recorded_at")),
                name="%(class)s_is_superseded_after_it_was_recorded",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="%(class)s_has_a_source"),
        ]
        indexes = [
            # The order of every list of claims.
            models.Index(fields=["recorded_at", "id"], name="%(class)s_by_recording"),
        ]

    @property
    def is_known(self) -> bool:
        return self.superseded_at is None


class Brought(Claim):
    """A claim that a list may bring."""

    # Empty where a person said so, or the desk was seeded.
    batch = models.ForeignKey(
        "assets.ImportBatch", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    class Meta(Claim.Meta):
        abstract = True


def once(name: str, *expressions: Any, condition: Q | None = None) -> ExclusionConstraint:
    """Let two claims with the same values hold at no pair of the two clocks."""
    return ExclusionConstraint(
        name=name,
        expressions=[
            *((one, RangeOperators.EQUAL) for one in expressions),
            (_span("valid_from", "valid_to"), RangeOperators.OVERLAPS),
            (_span("recorded_at", "superseded_at"), RangeOperators.OVERLAPS),
        ],
        condition=condition,
    )


def _span(since: str, until: str) -> Func:
    return Func(F(since), F(until), function="tstzrange", output_field=DateTimeRangeField())
