"""Merging two assets and splitting them again over REST: asked for here, and decided by a second person."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ASKED,
    RegistryView,
    WhichClaims,
    a_page_of,
    claims,
    listed,
    shown_as,
    waits,
)
from assets.api.inputs import REASON, Moment, Strict, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import MergeView
from assets.models import Asset, Merge
from assets.services.merging import propose_merge, propose_split
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichMerges(WhichClaims):
    into = serializers.UUIDField(required=False, help_text="What answers as this asset.")


class NewMerge(Strict):
    asset = named(Asset.objects.all(), help_text="It answers as the other one.")
    into = named(Asset.objects.all(), help_text="The one that goes on answering for both.")
    since = Moment(required=False, allow_null=True, help_text="Else they always were one.")
    reason = serializers.CharField(max_length=300, help_text=REASON)


class Splitting(Strict):
    since = Moment(required=False, allow_null=True, help_text="Else they never were one.")
    reason = serializers.CharField(max_length=300, help_text=REASON)


class Merges(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="merges_list",
        parameters=[WhichMerges],
        responses={200: a_page_of(MergeView, "Merge"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List which assets answer as which."""
        given = asked(request, WhichMerges)
        found = claims(Merge.objects.all(), given)
        if "into" in given:
            found = found.filter(into=given["into"])
        return listed(found, given, by="recorded_at", shown=shown_as(MergeView))

    @extend_schema(
        operation_id="merges_propose",
        request=NewMerge,
        responses={202: ASKED, **refusals(400, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask for an asset to answer as another. What cannot be one is a conflict, in words."""
        given = sent(request, NewMerge)
        return waits(
            propose_merge(
                asset_id=given["asset"].pk,
                into_id=given["into"].pk,
                since=given.get("since"),
                reason=given["reason"],
                by=caller(request),
            )
        )


class OneMerge(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(operation_id="merges_read", responses={200: MergeView, **refusals(404)})
    def get(self, request: Request, merge_id: UUID) -> Response:
        """Read one merge, also one that was split."""
        return Response(MergeView(Merge.objects.get(pk=merge_id)).data)


class SplitMerge(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="merges_split",
        request=Splitting,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, merge_id: UUID) -> Response:
        """Ask for the two to be split again. What was said of either is where it was."""
        found = Merge.objects.select_related("asset", "into").get(pk=merge_id)
        given = sent(request, Splitting)
        return waits(
            propose_split(
                merge=found,
                since=given.get("since"),
                reason=given["reason"],
                by=caller(request),
            )
        )
