"""How the registry's rows are written for programs, each the same wherever it appears."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from rest_framework import serializers

from assets.api.inputs import ExactNumber
from assets.models import (
    Alias,
    Asset,
    AssetGroup,
    Chain,
    Deployment,
    Finding,
    GroupMember,
    Identifier,
    Merge,
    QualityFlag,
    Relationship,
    Severity,
)

OF_A_REGISTERED = [
    *("metadata", "version", "created_at", "updated_at", "retired_at", "retired_reason")
]
OF_A_CLAIM = [
    *("valid_from", "valid_to", "recorded_at", "superseded_at", "source", "recorded_by"),
    "approval",
]


class RegisteredView(serializers.ModelSerializer[Any]):
    metadata = serializers.DictField()
    version = serializers.IntegerField(help_text="Send it as `If-Match` with a change.")


class AssetView(RegisteredView):
    kind = serializers.CharField()
    precision = serializers.IntegerField(allow_null=True)
    display_places = serializers.IntegerField()

    class Meta:
        model = Asset
        fields = [
            *("id", "symbol", "name", "kind", "category", "precision", "display_places"),
            *OF_A_REGISTERED,
        ]


class CollisionView(serializers.Serializer[Any]):
    """Another asset that may be taken for this one."""

    why = serializers.CharField(help_text="same_ticker, or looks_alike.")
    asset_id = serializers.UUIDField()
    symbol = serializers.CharField()
    name = serializers.CharField()


class MergedView(serializers.Serializer[Any]):
    """The asset that answers for this one now."""

    merge_id = serializers.UUIDField()
    asset_id = serializers.UUIDField()
    symbol = serializers.CharField()
    name = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True, help_text="Null is always.")


class AssetWithCollisions(AssetView):
    collisions = CollisionView(
        many=True, help_text="Whom it may be taken for: never go by the ticker alone."
    )
    merged_into = MergedView(
        allow_null=True, help_text="Where it was merged: names of it mean that asset."
    )

    class Meta(AssetView.Meta):
        fields = [*AssetView.Meta.fields, "collisions", "merged_into"]


class ChainView(RegisteredView):
    id = serializers.CharField()
    family = serializers.CharField()
    native_asset = serializers.UUIDField(source="native_asset_id", allow_null=True)
    rpc_urls = serializers.ListField(child=serializers.CharField())
    explorer_url = serializers.CharField()

    class Meta:
        model = Chain
        fields = [
            *("id", "name", "family", "native_asset", "rpc_urls", "explorer_url"),
            *OF_A_REGISTERED,
        ]


class GroupView(RegisteredView):
    class Meta:
        model = AssetGroup
        fields = ["id", "canonical_symbol", "name", *OF_A_REGISTERED]


class ClaimView(serializers.ModelSerializer[Any]):
    """Something said about an asset: true from `valid_from` to `valid_to`, known from `recorded_at` on."""

    asset = serializers.UUIDField(source="asset_id")
    recorded_by = serializers.CharField(
        source="recorded_by.username", allow_null=True, default=None
    )
    approval = serializers.UUIDField(source="approval_id", allow_null=True)


class DeploymentView(ClaimView):
    chain = serializers.CharField(source="chain_id")
    decimals = serializers.IntegerField()

    class Meta:
        model = Deployment
        fields = [
            *("id", "asset", "chain", "address", "decimals", "is_canonical", "last_verified_at"),
            *OF_A_CLAIM,
        ]


class AliasView(ClaimView):
    class Meta:
        model = Alias
        fields = ["id", "asset", "ticker", "is_primary", *OF_A_CLAIM]


class IdentifierView(ClaimView):
    scheme = serializers.CharField()

    class Meta:
        model = Identifier
        fields = ["id", "asset", "scheme", "value", "last_verified_at", *OF_A_CLAIM]


class RelationshipView(ClaimView):
    kind = serializers.CharField(help_text="As in: `asset` wraps `other`.")
    other = serializers.UUIDField(source="other_id")
    ratio_rule = serializers.CharField()
    ratio = ExactNumber(allow_null=True, help_text="How much of the other one unit of it is.")

    class Meta:
        model = Relationship
        fields = [
            *("id", "asset", "kind", "other", "ratio_rule", "ratio", "rate_source", "evidence"),
            *OF_A_CLAIM,
        ]


class MemberView(ClaimView):
    group = serializers.UUIDField(source="group_id")
    symbol = serializers.CharField(source="asset.symbol")
    name = serializers.CharField(source="asset.name")

    class Meta:
        model = GroupMember
        fields = [
            *("id", "group", "asset", "symbol", "name", "is_canonical", "is_for_risk"),
            *("is_for_pnl", *OF_A_CLAIM),
        ]


class MergeView(ClaimView):
    into = serializers.UUIDField(source="into_id", help_text="`asset` answers as this one.")

    class Meta:
        model = Merge
        fields = ["id", "asset", "into", *OF_A_CLAIM]


class DuplicateView(serializers.ModelSerializer[Finding]):
    """Several assets share something that only one should have."""

    kind = serializers.CharField()
    key = serializers.CharField(help_text="What they share.")
    assets = serializers.ListField(child=serializers.UUIDField())
    evidence = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField(help_text="open, dismissed, confirmed, or over: no longer so.")
    dismissed_by = serializers.CharField(
        source="dismissed_by.username", allow_null=True, default=None
    )

    class Meta:
        model = Finding
        fields = [
            *("id", "kind", "key", "assets", "evidence", "state"),
            *("first_seen_at", "last_seen_at", "opened_at"),
            *("dismissed_at", "dismissed_by", "dismissed_reason"),
        ]


class FlagView(serializers.ModelSerializer[QualityFlag]):
    asset = serializers.UUIDField(source="asset_id")
    kind = serializers.CharField()
    severity = serializers.SerializerMethodField()
    source_kind = serializers.CharField()
    evidence_url = serializers.CharField()
    raised_by = serializers.CharField(source="raised_by.username", allow_null=True, default=None)
    cleared_by = serializers.CharField(source="cleared_by.username", allow_null=True, default=None)
    approval = serializers.UUIDField(source="approval_id", allow_null=True)

    class Meta:
        model = QualityFlag
        fields = [
            *("id", "asset", "kind", "severity", "source_kind", "source", "evidence_url", "note"),
            *("valid_from", "raised_at", "raised_by", "review_on", "expires_at"),
            *("cleared_at", "cleared_by", "cleared_reason", "approval"),
        ]

    def get_severity(self, flag: QualityFlag) -> str:
        return Severity(flag.severity).name.lower()


SHAPES: tuple[type[serializers.ModelSerializer[Any]], ...] = (
    *(AssetView, ChainView, GroupView, DeploymentView, AliasView, IdentifierView),
    *(RelationshipView, MemberView, FlagView, MergeView, DuplicateView),
)


def told(row: Model) -> dict[str, Any]:
    """Write a row the way its own endpoint does; one of another app by its name."""
    found = (shape(row).data for shape in SHAPES if shape.Meta.model is type(row))
    return next(found, {"id": str(row.pk), "name": str(row)})
