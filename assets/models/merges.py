"""Which asset answers as which: a duplicate is kept with its id, and read as the other one."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from assets.models.asset import Asset
from assets.models.claims import Claim, once


class Merge(Claim):
    """An asset turned out to be another one, and answers as it for a span of time.

    Nothing that was said about either is moved in the tables: it is read through this claim. So before
    it, by both clocks, each answers for itself, and once it ends everything is where it was. One step
    only: what answers as another is merged into nothing else, and nothing into it.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="merges")
    into = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="merged_here")

    class Meta(Claim.Meta):
        abstract = False
        constraints = [
            *Claim.Meta.constraints,
            models.CheckConstraint(condition=~Q(asset=F("into")), name="merge_is_of_two"),
            once("merged_once_at_a_time", "asset"),
        ]

    def __str__(self) -> str:
        since = f" since {self.valid_from:%Y-%m-%d}" if self.valid_from else ""
        return f"{self.asset.label}, merged into {self.into.label}{since}"
