"""Assets over REST: list, search, read, create, change, rename, retire."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    IF_MATCH,
    Paged,
    RegistryView,
    Retiring,
    a_page_of,
    listed,
    version_of,
    versioned,
)
from assets.api.inputs import REASON, Metadata, Moment, Strict, asked, sent
from assets.api.problems import refusals
from assets.api.shapes import AssetView, AssetWithCollisions, MergedView
from assets.models import Asset, AssetKind, Merge
from assets.services.answering import merged
from assets.services.catalogue import create_asset, retire_asset, update_asset
from assets.services.renaming import rename
from assets.services.search import ALL, IN_USE, RETIRED, Wanted, collisions, rows
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller

SHOWS, EDITS = Action.REGISTRY_VIEW, Action.REGISTRY_EDIT


class WhichAssets(Paged):
    kind = serializers.ChoiceField(AssetKind.choices, required=False)
    category = serializers.CharField(required=False, max_length=40)
    symbol = serializers.CharField(
        required=False, max_length=32, help_text="A whole ticker it goes by now, capitals or not."
    )
    text = serializers.CharField(
        required=False,
        max_length=120,
        help_text="Part of its symbol or name (under three letters: their beginning), or a whole ticker.",
    )
    chain = serializers.SlugField(
        required=False, max_length=40, help_text="It lives there: by a contract, or as its coin."
    )
    retired = serializers.ChoiceField([IN_USE, RETIRED, ALL], required=False, default=IN_USE)


class NewAsset(Strict):
    symbol = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(AssetKind.choices)
    category = serializers.CharField(max_length=40, required=False, allow_blank=True)
    precision = serializers.IntegerField(min_value=0, max_value=36, required=False, allow_null=True)
    display_places = serializers.IntegerField(min_value=0, max_value=24, required=False)
    metadata = Metadata(required=False)
    ticker_since = Moment(
        required=False, help_text="Since when it goes by its symbol; else it always did."
    )


class AssetChanges(Strict):
    """What is left out stays. A changed symbol renames it from now on; `rename` takes a date."""

    symbol = serializers.CharField(max_length=32, required=False)
    name = serializers.CharField(max_length=120, required=False)
    kind = serializers.ChoiceField(AssetKind.choices, required=False)
    category = serializers.CharField(max_length=40, required=False, allow_blank=True)
    precision = serializers.IntegerField(min_value=0, max_value=36, required=False, allow_null=True)
    display_places = serializers.IntegerField(min_value=0, max_value=24, required=False)
    metadata = Metadata(required=False)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class Renaming(Strict):
    ticker = serializers.CharField(max_length=32)
    since = Moment(help_text="From then on; the old ticker ends there. Not in the future.")
    reason = serializers.CharField(max_length=300, help_text=REASON)
    source = serializers.CharField(  # type: ignore[assignment] # a field's own `source` is no class attribute
        max_length=120, required=False, default="", allow_blank=True
    )


class Assets(RegistryView):
    actions = {"GET": SHOWS, "POST": EDITS}

    @extend_schema(
        operation_id="assets_list",
        parameters=[WhichAssets],
        responses={200: a_page_of(AssetWithCollisions, "Asset"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List and search assets by symbol, each with the others it may be taken for."""
        given = asked(request, WhichAssets)
        names = {"kind", "category", "symbol", "text", "chain", "retired"} & set(given)
        wanted = Wanted(**{name: given[name] for name in names})
        return listed(rows(wanted, now=timezone.now()), given, by="symbol", shown=_with_collisions)

    @extend_schema(
        operation_id="assets_create",
        request=NewAsset,
        responses={201: AssetWithCollisions, **refusals(400)},
    )
    def post(self, request: Request) -> Response:
        """Bring an asset in. Another of the same ticker is no conflict: look at `collisions`."""
        given = sent(request, NewAsset)
        since = given.pop("ticker_since", None)
        asset = create_asset(asset=Asset(**given), by=caller(request), ticker_since=since)
        place = reverse("api-asset", args=[asset.pk])
        return versioned(whole(asset), asset, HTTPStatus.CREATED, Location=place)


class OneAsset(RegistryView):
    actions = {"GET": SHOWS, "PATCH": EDITS}

    @extend_schema(
        operation_id="assets_read", responses={200: AssetWithCollisions, **refusals(404)}
    )
    def get(self, request: Request, asset_id: UUID) -> Response:
        """Read an asset, also a retired one."""
        asset = Asset.objects.get(pk=asset_id)
        return versioned(whole(asset), asset)

    @extend_schema(
        operation_id="assets_update",
        parameters=[IF_MATCH],
        request=AssetChanges,
        responses={200: AssetView, **refusals(400, 404, 409, 412, 428)},
    )
    def patch(self, request: Request, asset_id: UUID) -> Response:
        """Change some of an asset, if it is still at the version you saw."""
        version = version_of(request)
        changes = sent(request, AssetChanges)
        reason = changes.pop("reason")
        asset = update_asset(
            asset_id=asset_id,
            expected_version=version,
            changes=changes,
            reason=reason,
            by=caller(request),
        )
        return versioned(AssetView(asset).data, asset)


class RenameAsset(RegistryView):
    actions = {"POST": EDITS}

    @extend_schema(
        operation_id="assets_rename",
        parameters=[IF_MATCH],
        request=Renaming,
        responses={200: AssetView, **refusals(400, 404, 409, 412, 428)},
    )
    def post(self, request: Request, asset_id: UUID) -> Response:
        """Give an asset another ticker from a moment on; its old one keeps answering for before."""
        version = version_of(request)
        given = sent(request, Renaming)
        asset = rename(asset_id=asset_id, expected_version=version, by=caller(request), **given)
        return versioned(AssetView(asset).data, asset)


class RetireAsset(RegistryView):
    actions = {"POST": EDITS}

    @extend_schema(
        operation_id="assets_retire",
        parameters=[IF_MATCH],
        request=Retiring,
        responses={200: AssetView, **refusals(400, 404, 409, 412, 428)},
    )
    def post(self, request: Request, asset_id: UUID) -> Response:
        """Take an asset out of use. It keeps its id, and answers for its own time."""
        version = version_of(request)
        given = sent(request, Retiring)
        asset = retire_asset(
            asset_id=asset_id,
            expected_version=version,
            reason=given["reason"],
            by=caller(request),
        )
        return versioned(AssetView(asset).data, asset)


def _with_collisions(assets: list[Asset]) -> list[dict[str, Any]]:
    now = timezone.now()
    found = collisions(assets, now=now)
    ways = merged([asset.pk for asset in assets], as_of=now, known_at=now)
    rows_of_them = AssetView(assets, many=True).data
    return [
        {
            **row,
            "collisions": [asdict(one) for one in found[asset.pk]],
            "merged_into": _told(ways.get(asset.pk)),
        }
        for asset, row in zip(assets, rows_of_them, strict=True)
    ]


def _told(merge: Merge | None) -> dict[str, Any] | None:
    if merge is None:
        return None
    into = merge.into
    said = {"merge_id": merge.pk, "asset_id": into.pk, "symbol": into.symbol, "name": into.name}
    return dict(MergedView({**said, "since": merge.valid_from}).data)


def whole(asset: Asset) -> dict[str, Any]:
    """Write an asset as its own address does."""
    return _with_collisions([asset])[0]
