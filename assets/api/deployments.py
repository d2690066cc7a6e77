"""Contracts over REST. What alters them asks a second person, and answers 202 with the request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ASKED,
    Clocked,
    Ending,
    RegistryView,
    WhichClaims,
    a_page_of,
    at_or_now,
    claims,
    clocks_of,
    listed,
    shown_as,
    waits,
)
from assets.api.inputs import REASON, Moment, Strict, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import DeploymentView
from assets.models import Asset, Chain, Deployment
from assets.services.deployments import key_of, propose_deployment, propose_end, spelt
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichDeployments(WhichClaims):
    chain = serializers.SlugField(required=False, max_length=40, help_text="Only on this chain.")
    address = serializers.CharField(
        required=False, max_length=120, help_text="In any spelling its chain's family has."
    )
    is_canonical = serializers.BooleanField(
        required=False, help_text="Only those the issuer itself means, or only the others."
    )


class NewDeployment(Strict):
    asset = named(Asset.objects.all())
    chain = named(Chain.objects.all(), serializers.SlugField())
    address = serializers.CharField(max_length=120)
    decimals = serializers.IntegerField(min_value=0, max_value=36)
    is_canonical = serializers.BooleanField(required=False, default=False)
    valid_from = Moment(required=False, help_text="Else it was always there.")
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]
    reason = serializers.CharField(max_length=300, help_text=REASON)


class DeploymentCorrection(Strict):
    """What is left out stays. Without `valid_from` it never was as it says now."""

    asset = named(Asset.objects.all(), required=False)
    decimals = serializers.IntegerField(min_value=0, max_value=36, required=False)
    is_canonical = serializers.BooleanField(required=False)
    valid_from = Moment(required=False, help_text="Since when; else it always was like this.")
    source = serializers.CharField(max_length=120, help_text="Who says so.")  # type: ignore[assignment]
    reason = serializers.CharField(max_length=300, help_text=REASON)


class Deployments(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="deployments_list",
        parameters=[WhichDeployments],
        responses={200: a_page_of(DeploymentView, "Deployment"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List contracts: of an asset, on a chain, at an address."""
        given = asked(request, WhichDeployments)
        found = claims(Deployment.objects.all(), given)
        if "is_canonical" in given:
            found = found.filter(is_canonical=given["is_canonical"])
        if "chain" in given:
            found = found.filter(chain=given["chain"])
        if "address" in given:
            found = found.filter(address_key=_key(given.get("chain"), given["address"]))
        return listed(found, given, by="recorded_at", shown=shown_as(DeploymentView))

    @extend_schema(
        operation_id="deployments_propose",
        request=NewDeployment,
        responses={202: ASKED, **refusals(400, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask for a contract to be recorded. An address that is known, or asked about, is a conflict."""
        given = sent(request, NewDeployment)
        return waits(
            propose_deployment(
                asset_id=given.pop("asset").pk,
                chain_id=given.pop("chain").pk,
                by=caller(request),
                **given,
            )
        )


class OneDeployment(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="deployments_read", responses={200: DeploymentView, **refusals(404)}
    )
    def get(self, request: Request, deployment_id: UUID) -> Response:
        """Read one claim about a contract, also one that was superseded."""
        return Response(DeploymentView(Deployment.objects.get(pk=deployment_id)).data)


class DeploymentAt(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="deployments_at",
        parameters=[Clocked],
        responses={200: DeploymentView, **refusals(400, 404)},
    )
    def get(self, request: Request, chain_id: str, address: str) -> Response:
        """Read what is at an address of a chain, at a moment, as far as it was known at another."""
        clocks = clocks_of(asked(request, Clocked))
        text = spelt(Chain.objects.get(pk=chain_id), address)
        found = Deployment.objects.at(as_of=clocks.as_of, known_at=clocks.known_at)
        return Response(DeploymentView(found.get(chain=chain_id, address_key=key_of(text))).data)


class CorrectDeployment(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="deployments_correct",
        request=DeploymentCorrection,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, deployment_id: UUID) -> Response:
        """Ask for a contract to say something else: another asset, other decimals, canonical or not."""
        there = Deployment.objects.select_related("asset", "chain").get(pk=deployment_id)
        given = sent(request, DeploymentCorrection)
        said: dict[str, Any] = {"decimals": there.decimals, "is_canonical": there.is_canonical}
        asset = given.pop("asset", there.asset)
        return waits(
            propose_deployment(
                asset_id=asset.pk,
                chain_id=there.chain_id,
                address=there.address,
                corrects=there,
                by=caller(request),
                **{**said, **given},
            )
        )


class EndDeployment(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="deployments_end",
        request=Ending,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, deployment_id: UUID) -> Response:
        """Ask for a contract to end."""
        there = Deployment.objects.select_related("asset", "chain").get(pk=deployment_id)
        given = sent(request, Ending)
        return waits(
            propose_end(
                deployment=there, at=at_or_now(given), reason=given["reason"], by=caller(request)
            )
        )


def _key(chain_id: str | None, address: str) -> str:
    """Spell an address the way it is compared; without its chain, as it stands."""
    chain = Chain.objects.filter(pk=chain_id).first() if chain_id else None
    return key_of(spelt(chain, address) if chain else address.strip())
