"""The resolver over REST: what a name means, at two moments, with every candidate and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import Clocked, RegistryView
from assets.api.inputs import asked
from assets.api.problems import refusals
from assets.hot.lookups import by_symbol_now
from assets.models import Scheme
from assets.services.resolution import (
    Answer,
    Resolution,
    by_address,
    by_group,
    by_identifier,
    by_symbol,
)
from cqops.platform.access.policy import Action

# What may be asked, and what else each question needs and may have.
QUESTIONS: dict[str, tuple[set[str], set[str]]] = {
    "address": ({"chain"}, set()),
    "identifier": ({"scheme"}, set()),
    "symbol": (set(), {"chain"}),
    "group": (set(), set()),
    "venue_symbol": ({"venue"}, set()),
}
CLOCKS = {"as_of", "known_at"}


class Question(Clocked):
    """One of address, identifier, symbol, group and venue_symbol."""

    chain = serializers.SlugField(
        required=False, max_length=40, help_text="With `address`; narrows `symbol`."
    )
    address = serializers.CharField(
        required=False, max_length=120, help_text="A contract on `chain`, in any of its spellings."
    )
    scheme = serializers.ChoiceField(
        Scheme.choices, required=False, help_text="Whose `identifier` it is."
    )
    identifier = serializers.CharField(
        required=False, max_length=120, help_text="The id that `scheme` has for an asset."
    )
    symbol = serializers.CharField(
        required=False, max_length=32, help_text="A ticker, capitals or not."
    )
    group = serializers.CharField(
        required=False, max_length=32, help_text="A group's symbol: its canonical member answers."
    )
    venue = serializers.SlugField(
        required=False, max_length=40, help_text="Whose `venue_symbol` it is."
    )
    venue_symbol = serializers.CharField(
        required=False, max_length=40, help_text="A venue's own symbol: its base asset answers."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        put = [name for name in QUESTIONS if name in attrs]
        if len(put) != 1:
            message = f"Ask for exactly one of {', '.join(QUESTIONS)}."
            raise serializers.ValidationError(message)
        needs, takes = QUESTIONS[put[0]]
        given = set(attrs) - CLOCKS - {put[0]}
        wrong = dict.fromkeys(needs - given, f"It is needed with {put[0]}.")
        wrong |= dict.fromkeys(given - needs - takes, f"It says nothing about {put[0]}.")
        if wrong:
            raise serializers.ValidationError(wrong)
        return {**attrs, "question": put[0]}


class CandidateView(serializers.Serializer[Any]):
    asset_id = serializers.UUIDField()
    symbol = serializers.CharField(help_text="As it is called now.")
    name = serializers.CharField()
    kind = serializers.CharField()
    why = serializers.CharField(help_text="Which claim says that it is meant, and whose.")
    claim_id = serializers.UUIDField(allow_null=True)


class ResolutionView(serializers.Serializer[Any]):
    answer = serializers.ChoiceField([one.value for one in Answer])
    asset_id = serializers.UUIDField(allow_null=True, help_text="Only of `ok`.")
    words = serializers.CharField(help_text="What was asked, and why it came out so.")
    candidates = CandidateView(many=True)
    as_of = serializers.DateTimeField(help_text="Pass both back to get this answer for ever.")
    known_at = serializers.DateTimeField()


class Resolve(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="resolve",
        parameters=[Question],
        responses={200: ResolutionView, **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """Find what a name means: `ok`, `ambiguous` with all it may mean, or `unknown`. Never a guess."""
        given = asked(request, Question)
        clocks = {name: given.get(name) for name in CLOCKS}
        return Response(ResolutionView(_answer(given, clocks)).data)


def _answer(given: dict[str, Any], clocks: dict[str, Any]) -> Resolution:
    match given["question"]:
        case "address":
            return by_address(chain=given["chain"], address=given["address"], **clocks)
        case "identifier":
            return by_identifier(scheme=given["scheme"], value=given["identifier"], **clocks)
        case "symbol" if not any(clocks.values()):
            return by_symbol_now(symbol=given["symbol"], chain=given.get("chain", ""))
        case "symbol":
            return by_symbol(symbol=given["symbol"], chain=given.get("chain", ""), **clocks)
        case "group":
            return by_group(symbol=given["group"], **clocks)
        case _:
            by_venue_symbol: Callable[..., Resolution] = import_string(
                settings.REGISTRY_VENUE_SYMBOLS
            )
            return by_venue_symbol(venue=given["venue"], symbol=given["venue_symbol"], **clocks)
