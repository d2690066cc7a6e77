"""How assets stand to each other, over REST."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ENDED,
    Ending,
    RegistryView,
    WhichClaims,
    a_page_of,
    claims,
    ends,
    listed,
    shown_as,
)
from assets.api.inputs import ExactNumber, Span, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import RelationshipView
from assets.models import Asset, RatioRule, Relationship, RelationshipKind
from assets.services.relations import end_relationship, relate
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichRelationships(WhichClaims):
    asset = serializers.UUIDField(required=False, help_text="What wraps, stakes, bridges ...")
    other = serializers.UUIDField(required=False, help_text="What is wrapped, staked, bridged ...")
    kind = serializers.ChoiceField(RelationshipKind.choices, required=False)


class NewRelationship(Span):
    """WETH (`asset`) wraps ETH (`other`)."""

    asset = named(Asset.objects.all())
    kind = serializers.ChoiceField(RelationshipKind.choices)
    other = named(Asset.objects.all())
    ratio_rule = serializers.ChoiceField(RatioRule.choices, required=False)
    ratio = ExactNumber(required=False, allow_null=True, help_text="With `fixed`: above zero.")
    rate_source = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="With `rate`: who publishes it."
    )
    evidence = serializers.CharField(max_length=500, required=False, allow_blank=True)
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]


class Relationships(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="relationships_list",
        parameters=[WhichRelationships],
        responses={200: a_page_of(RelationshipView, "Relationship"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List how assets stand to each other."""
        given = asked(request, WhichRelationships)
        found = claims(Relationship.objects.all(), given)
        for name in {"other", "kind"} & set(given):
            found = found.filter(**{name: given[name]})
        return listed(found, given, by="recorded_at", shown=shown_as(RelationshipView))

    @extend_schema(
        operation_id="relationships_establish",
        request=NewRelationship,
        responses={201: RelationshipView, **refusals(400, 409)},
    )
    def post(self, request: Request) -> Response:
        """Say how an asset stands to another. One that would go round in a circle is refused."""
        given = sent(request, NewRelationship)
        asset, other = given.pop("asset"), given.pop("other")
        found = relate(asset_id=asset.pk, other_id=other.pk, by=caller(request), **given)
        return Response(RelationshipView(found).data, status=HTTPStatus.CREATED)


class EndRelationship(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="relationships_end",
        request=Ending,
        responses={200: RelationshipView, 204: ENDED, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, relationship_id: UUID) -> Response:
        """Let a relationship end."""
        row = Relationship.objects.select_related("asset", "other").get(pk=relationship_id)
        return ends(request, partial(end_relationship, relationship=row), RelationshipView)
