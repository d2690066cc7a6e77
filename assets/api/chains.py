"""Chains over REST."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.urls import reverse
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
    shown_as,
    version_of,
    versioned,
)
from assets.api.inputs import Metadata, Strict, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import ChainView
from assets.models import Asset, Chain, ChainFamily
from assets.models.registered import WEB
from assets.services.catalogue import register_chain, retire_chain, update_chain
from assets.services.search import ALL, IN_USE, RETIRED
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller

MOST_URLS = 20


class WhichChains(Paged):
    family = serializers.ChoiceField(ChainFamily.choices, required=False)
    retired = serializers.ChoiceField([IN_USE, RETIRED, ALL], required=False, default=IN_USE)


def _urls() -> serializers.ListField:
    child = serializers.CharField(max_length=300, validators=[WEB])
    words = "Public ones only: never one that carries a key."
    return serializers.ListField(child=child, required=False, max_length=MOST_URLS, help_text=words)


class NewChain(Strict):
    id = serializers.RegexField(r"^[a-z0-9][a-z0-9-]*$", max_length=40, help_text="For ever.")
    name = serializers.CharField(max_length=80)
    family = serializers.ChoiceField(ChainFamily.choices)
    native_asset = named(Asset.objects.all(), required=False, allow_null=True)
    rpc_urls = _urls()
    explorer_url = serializers.CharField(
        max_length=300, required=False, allow_blank=True, validators=[WEB]
    )
    metadata = Metadata(required=False)


class ChainChanges(Strict):
    """What is left out stays. The family stays once an address was written by its rules."""

    name = serializers.CharField(max_length=80, required=False)
    family = serializers.ChoiceField(ChainFamily.choices, required=False)
    native_asset = named(Asset.objects.all(), required=False, allow_null=True)
    rpc_urls = _urls()
    explorer_url = serializers.CharField(
        max_length=300, required=False, allow_blank=True, validators=[WEB]
    )
    metadata = Metadata(required=False)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class Chains(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="chains_list",
        parameters=[WhichChains],
        responses={200: a_page_of(ChainView, "Chain"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List chains by name."""
        given = asked(request, WhichChains)
        found = Chain.objects.all()
        if given["retired"] != ALL:
            found = found.filter(retired_at__isnull=given["retired"] == IN_USE)
        if "family" in given:
            found = found.filter(family=given["family"])
        return listed(found, given, by="name", shown=shown_as(ChainView))

    @extend_schema(
        operation_id="chains_register",
        request=NewChain,
        responses={201: ChainView, **refusals(400, 409)},
    )
    def post(self, request: Request) -> Response:
        """Register a chain. Its id never changes."""
        chain = register_chain(chain=Chain(**sent(request, NewChain)), by=caller(request))
        place = reverse("api-chain", args=[chain.pk])
        return versioned(ChainView(chain).data, chain, HTTPStatus.CREATED, Location=place)


class OneChain(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "PATCH": Action.REGISTRY_EDIT}

    @extend_schema(operation_id="chains_read", responses={200: ChainView, **refusals(404)})
    def get(self, request: Request, chain_id: str) -> Response:
        """Read a chain, also a retired one."""
        chain = Chain.objects.get(pk=chain_id)
        return versioned(ChainView(chain).data, chain)

    @extend_schema(
        operation_id="chains_update",
        parameters=[IF_MATCH],
        request=ChainChanges,
        responses={200: ChainView, **refusals(400, 404, 412, 428)},
    )
    def patch(self, request: Request, chain_id: str) -> Response:
        """Change some of a chain, if it is still at the version you saw."""
        version = version_of(request)
        changes = sent(request, ChainChanges)
        reason = changes.pop("reason")
        chain = update_chain(
            chain_id=chain_id,
            expected_version=version,
            changes=_in_columns(changes),
            reason=reason,
            by=caller(request),
        )
        return versioned(ChainView(chain).data, chain)


class RetireChain(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="chains_retire",
        parameters=[IF_MATCH],
        request=Retiring,
        responses={200: ChainView, **refusals(400, 404, 409, 412, 428)},
    )
    def post(self, request: Request, chain_id: str) -> Response:
        """Take a chain out of use: no contract is recorded on it any more."""
        version = version_of(request)
        given = sent(request, Retiring)
        chain = retire_chain(
            chain_id=chain_id, expected_version=version, reason=given["reason"], by=caller(request)
        )
        return versioned(ChainView(chain).data, chain)


def _in_columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Name the native asset by its key, as the service does."""
    if "native_asset" not in changes:
        return changes
    native = changes.pop("native_asset")
    return {**changes, "native_asset_id": native.pk if native else None}
