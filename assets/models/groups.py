"""Which assets are counted together, and which of the groups risk and PnL go by."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from assets.models.asset import Asset
from assets.models.claims import Claim, once
from assets.models.registered import Registered


class AssetGroup(Registered):
    """Assets that are counted together, such as everything that is ether."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    canonical_symbol = models.CharField(max_length=32)
    name = models.CharField(max_length=120)

    class Meta(Registered.Meta):
        abstract = False
        ordering = ["canonical_symbol"]
        constraints = [
            *Registered.Meta.constraints,
            models.CheckConstraint(condition=~Q(canonical_symbol=""), name="group_has_a_symbol"),
            models.UniqueConstraint(
                Upper("canonical_symbol"), condition=Q(retired_at=None), name="group_symbol_once"
            ),
        ]

    def __str__(self) -> str:
        return self.canonical_symbol


class GroupMember(Claim):
    """An asset belongs to a group, for a span of time. It may belong to several at once."""

    group = models.ForeignKey(AssetGroup, on_delete=models.PROTECT, related_name="members")
    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="memberships")
    is_canonical = models.BooleanField(default=False)
    is_for_risk = models.BooleanField("counts for risk", default=False)
    is_for_pnl = models.BooleanField("counts for PnL", default=False)

    class Meta(Claim.Meta):
        abstract = False
        constraints = [
            *Claim.Meta.constraints,
            once("member_of_a_group_once", "group", "asset"),
            once("one_canonical_member", "group", condition=Q(is_canonical=True)),
            once("one_group_for_risk", "asset", condition=Q(is_for_risk=True)),
            once("one_group_for_pnl", "asset", condition=Q(is_for_pnl=True)),
        ]
        indexes = [
            *Claim.Meta.indexes,
            # Else the planner walks through all of `member_of_a_group_once` for one asset's groups.
            HashIndex(fields=["asset"], name="groupmember_of_asset"),
        ]

    def __str__(self) -> str:
        return f"{self.asset} of {self.group}"
