"""How one asset comes from another: wrapped, staked, bridged, migrated, or only tracking it."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import F, Q

from assets.fields import AmountField
from assets.models.asset import Asset
from assets.models.claims import Claim, once


class RelationshipKind(models.TextChoices):
    WRAPS = "wraps", "wraps"
    STAKES = "stakes", "stakes"
    BRIDGES = "bridges", "is bridged from"
    MIGRATED_TO = "migrated_to", "migrated to"
    SYNTHETIC_OF = "synthetic_of", "is a synthetic of"


# An asset of these kinds stands on the other one, so that together they may go round in no circle.
BACKED_BY = frozenset({RelationshipKind.WRAPS, RelationshipKind.STAKES, RelationshipKind.BRIDGES})
# Migrating is a circle of its own; two synthetics may well track each other.
ACYCLIC = (BACKED_BY, frozenset({RelationshipKind.MIGRATED_TO}))


class RatioRule(models.TextChoices):
    NONE = "none", "No ratio is stated"
    FIXED = "fixed", "A fixed ratio"
    RATE = "rate", "A rate that somebody publishes"


class Relationship(Claim):
    """One asset stands to another like this: WETH (`asset`) wraps ETH (`other`).

    The ratio is how much of the other one unit of the asset is.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="stands_on")
    kind = models.CharField(max_length=12, choices=RelationshipKind)
    other = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="stood_on_by")
    ratio_rule = models.CharField(max_length=5, choices=RatioRule, default=RatioRule.NONE)
    ratio = AmountField(null=True, blank=True)
    rate_source = models.CharField(max_length=200, blank=True)
    evidence = models.CharField(max_length=500, blank=True)

    class Meta(Claim.Meta):
        abstract = False
        constraints = [
            *Claim.Meta.constraints,
            models.CheckConstraint(condition=~Q(asset=F("other")), name="relationship_is_no_loop"),
            models.CheckConstraint(
                condition=Q(ratio_rule=RatioRule.NONE, ratio=None, rate_source="")
                | Q(ratio_rule=RatioRule.FIXED, ratio__isnull=False, ratio__gt=0, rate_source="")
                | (Q(ratio_rule=RatioRule.RATE, ratio=None) & ~Q(rate_source="")),
                name="relationship_ratio_fits_its_rule",
            ),
            once("relationship_said_once", "asset", "kind", "other"),
        ]
        indexes = [
            *Claim.Meta.indexes,
            models.Index(fields=["other", "kind"], name="relationship_by_other"),
            # Else the planner walks through all of `relationship_said_once` for what stands on one.
            HashIndex(fields=["other"], name="relationship_of_other"),
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.get_kind_display()} {self.other}"
