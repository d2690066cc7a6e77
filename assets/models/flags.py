"""Warnings about an asset, each with its evidence. Raised by one person, and what is severe cleared by two."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from assets.models.asset import Asset
from assets.models.registered import WEB


class FlagKind(models.TextChoices):
    SCAM = "scam", "Scam"
    EXPLOIT = "exploit", "Exploit"
    DEPEG = "depeg", "Depeg"
    UNVERIFIED = "unverified", "Unverified contract"
    AUDIT = "audit", "Audit finding"
    ILLIQUID = "illiquid", "Illiquid"
    REGULATORY = "regulatory", "Regulatory"
    SANCTIONS = "sanctions", "Sanctions"


class Severity(models.IntegerChoices):
    """How much it stands in the way; a number, so that "at least" can be asked for."""

    INFO = 10, "Info"
    LOW = 20, "Low"
    MEDIUM = 30, "Medium"
    HIGH = 40, "High"
    CRITICAL = 50, "Critical"


class FlagSource(models.TextChoices):
    PERSON = "person", "A person of the desk"
    AUDITOR = "auditor", "An auditor"


class FlagQuerySet(models.QuerySet["QualityFlag"]):
    def at(self, *, as_of: datetime, known_at: datetime) -> FlagQuerySet:
        """Keep what stood at one moment, as far as it was known at another.

        Clearing a flag ends it from then on; that it stood until then stays true.
        """
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=as_of),
            Q(cleared_at=None) | Q(cleared_at__gt=min(as_of, known_at)),
            valid_from__lte=as_of,
            raised_at__lte=known_at,
        )

    def standing(self, *, now: datetime) -> FlagQuerySet:
        return self.at(as_of=now, known_at=now)


class QualityFlag(models.Model):
    """A warning about one asset. It is never edited, only cleared once, with who and why.

    What is high or critical does not lapse by itself: it is looked at again by its review date, and
    cleared by two people. The database holds all of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField("type", max_length=12, choices=FlagKind)
    severity = models.PositiveSmallIntegerField(choices=Severity)
    source_kind = models.CharField(max_length=8, choices=FlagSource, default=FlagSource.PERSON)
    source = models.CharField(max_length=120, help_text="The auditor's name, or who found it.")
    evidence_url = models.CharField(max_length=500, blank=True, validators=[WEB])
    note = models.TextField(blank=True)
    valid_from = models.DateTimeField("true since")
    raised_at = models.DateTimeField(editable=False)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    review_on = models.DateField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True, editable=False)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    cleared_reason = models.CharField(max_length=500, blank=True, editable=False)
    approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = FlagQuerySet.as_manager()

    class Meta:
        ordering = ["-severity", "-raised_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="flag_severity_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(evidence_url="") | ~Q(note=""), name="flag_shows_evidence"
            ),
            models.CheckConstraint(condition=~Q(source=""), name="flag_has_a_source"),
            models.CheckConstraint(
                condition=Q(cleared_at=None, cleared_reason="")
                | (
                    Q(cleared_at__isnull=False, cleared_at__gte=F("raised_at"))
                    & ~Q(cleared_reason="")
                ),
                name="flag_cleared_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None)
                | Q(severity__lt=Severity.HIGH, expires_at__gt=F("valid_from")),
                name="flag_that_is_severe_never_lapses",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asset", "severity"],
                condition=Q(cleared_at=None),
                name="flag_standing_by_asset",
            ),
            models.Index(fields=["raised_at", "id"], name="flag_by_raising"),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {self.get_kind_display().lower()}"

    def clean(self) -> None:
        if self.expires_at is None:
            return
        severity: int | None = self.severity  # a form that lacks it comes here too
        if severity is not None and severity >= Severity.HIGH:
            message = "What is high or critical does not lapse by itself. Put a day to look again."
            raise ValidationError({"expires_at": message})
        since = getattr(self, "valid_from", None)
        if since is not None and self.expires_at <= since:
            raise ValidationError({"expires_at": "It lapses after it began."})

    @property
    def is_severe(self) -> bool:
        """Tell whether clearing it takes two people."""
        return self.severity >= Severity.HIGH

    @property
    def evidence(self) -> str:
        return " ".join(part for part in (self.note, self.evidence_url) if part)
