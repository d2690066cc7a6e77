"""What assets are called, over REST: tickers, and the ids other systems have for them."""

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
from assets.api.inputs import Moment, Span, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import AliasView, IdentifierView
from assets.models import Alias, Asset, Identifier, Scheme
from assets.services.identifiers import add_identifier, end_identifier
from assets.services.renaming import add_alias, end_alias
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichAliases(WhichClaims):
    ticker = serializers.CharField(
        required=False, max_length=32, help_text="The whole ticker, capitals or not."
    )


class NewAlias(Span):
    asset = named(Asset.objects.all())
    ticker = serializers.CharField(max_length=32)
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]


class WhichIdentifiers(WhichClaims):
    scheme = serializers.ChoiceField(Scheme.choices, required=False)
    value = serializers.CharField(required=False, max_length=120, help_text="The whole id.")


class NewIdentifier(Span):
    asset = named(Asset.objects.all())
    scheme = serializers.ChoiceField(Scheme.choices)
    value = serializers.CharField(
        max_length=120, help_text="A code at a venue carries its short name, as in kraken:XXBT."
    )
    verified_at = Moment(required=False, help_text="When somebody last looked.")
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]


class Aliases(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="aliases_list",
        parameters=[WhichAliases],
        responses={200: a_page_of(AliasView, "Alias"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List tickers: of an asset, or who went by one."""
        given = asked(request, WhichAliases)
        found = claims(Alias.objects.all(), given)
        if "ticker" in given:
            found = found.filter(ticker__iexact=given["ticker"])
        return listed(found, given, by="recorded_at", shown=shown_as(AliasView))

    @extend_schema(
        operation_id="aliases_add",
        request=NewAlias,
        responses={201: AliasView, **refusals(400, 409)},
    )
    def post(self, request: Request) -> Response:
        """Say that an asset goes by a further ticker. The first is changed by `rename`."""
        given = sent(request, NewAlias)
        alias = add_alias(asset_id=given.pop("asset").pk, by=caller(request), **given)
        return Response(AliasView(alias).data, status=HTTPStatus.CREATED)


class EndAlias(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="aliases_end",
        request=Ending,
        responses={200: AliasView, 204: ENDED, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, alias_id: UUID) -> Response:
        """Let a further ticker end."""
        alias = Alias.objects.select_related("asset").get(pk=alias_id)
        return ends(request, partial(end_alias, alias=alias), AliasView)


class Identifiers(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="identifiers_list",
        parameters=[WhichIdentifiers],
        responses={200: a_page_of(IdentifierView, "Identifier"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List the ids other systems have for assets."""
        given = asked(request, WhichIdentifiers)
        found = claims(Identifier.objects.all(), given)
        for name in {"scheme", "value"} & set(given):
            found = found.filter(**{name: given[name]})
        return listed(found, given, by="recorded_at", shown=shown_as(IdentifierView))

    @extend_schema(
        operation_id="identifiers_add",
        request=NewIdentifier,
        responses={201: IdentifierView, **refusals(400, 409)},
    )
    def post(self, request: Request) -> Response:
        """Say what another system calls an asset. An id that means another one is a conflict."""
        given = sent(request, NewIdentifier)
        found = add_identifier(asset_id=given.pop("asset").pk, by=caller(request), **given)
        return Response(IdentifierView(found).data, status=HTTPStatus.CREATED)


class EndIdentifier(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="identifiers_end",
        request=Ending,
        responses={200: IdentifierView, 204: ENDED, **refusals(400, 404, 409)},
    )
    def post(self, request: Request, identifier_id: UUID) -> Response:
        """Let an id mean this asset no longer."""
        row = Identifier.objects.select_related("asset").get(pk=identifier_id)
        return ends(request, partial(end_identifier, identifier=row), IdentifierView)
