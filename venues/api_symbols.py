"""What venues list and what it stands for, over REST: asked as the registry's own things are, with its refusals."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ASKED,
    Clocked,
    Paged,
    RegistryView,
    a_page_of,
    clocks_of,
    listed,
    shown_as,
    waits,
)
from assets.api.inputs import REASON, Moment, Strict, asked, sent
from assets.api.problems import refusals
from assets.models import Asset
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller
from venues.api_symbol_shapes import ListingView, SuggestionView, VenueSymbolView
from venues.models import InstrumentKind, Listing, Standing, SymbolStatus, VenueSymbol
from venues.services.mapping import MOST, propose_change, propose_mappings, propose_resume
from venues.services.stopping import set_aside, suspend, take_up
from venues.services.suggesting import suggestions_for
from venues.services.wanted import Wanted
from venues.suggestions import Evidence

LISTINGS = Listing.objects.select_related("venue")
SYMBOLS = VenueSymbol.objects.select_related("venue", "base", "quote", "recorded_by")


class WhichSymbols(Paged):
    venue = serializers.SlugField(required=False, max_length=40, help_text="A venue's short name.")
    symbol = serializers.CharField(
        required=False, max_length=80, help_text="The whole symbol, as the venue writes it."
    )
    text = serializers.CharField(required=False, max_length=80, help_text="Part of the symbol.")
    kind = serializers.ChoiceField(InstrumentKind.choices, required=False)
    status = serializers.ChoiceField(
        SymbolStatus.choices, required=False, help_text="What the venue lets us do with it."
    )
    standing = serializers.ChoiceField(
        Standing.choices, required=False, help_text="What the desk decided about it."
    )


class WhichListings(WhichSymbols):
    base = serializers.CharField(required=False, max_length=40, help_text="As the venue says it.")
    quote = serializers.CharField(required=False, max_length=40, help_text="As the venue says it.")
    gone = serializers.BooleanField(
        required=False, default=False, help_text="Also what the venue lists no longer."
    )


class WhichMeanings(WhichSymbols, Clocked):
    base = serializers.UUIDField(required=False, help_text="An asset that is bought and sold.")
    quote = serializers.UUIDField(required=False, help_text="An asset that it is paid with.")
    history = serializers.BooleanField(
        required=False, default=False, help_text="Also what ended, and what was taken back."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["history"] and {"as_of", "known_at"} & set(attrs):
            message = "All that was ever said is asked for without a moment."
            raise serializers.ValidationError({"history": message})
        return attrs


class Reading(Strict):
    """What one symbol is to stand for. Instrument and contract size are the venue's."""

    listing = serializers.UUIDField()
    base = serializers.UUIDField(help_text="An asset.")
    quote = serializers.UUIDField(help_text="An asset.")


class Why(Strict):
    reason = serializers.CharField(max_length=300, help_text=REASON)


class Founded(Why):
    evidence = serializers.ChoiceField(
        [one.value for one in Evidence], help_text="What all of it rests on."
    )
    since = Moment(required=False, help_text="Since when; else as long as nothing else is known.")


class NewMappings(Founded):
    symbols = Reading(many=True, min_length=1, max_length=MOST)  # type: ignore[call-arg]

    def validate_symbols(self, rows: list[dict[str, UUID]]) -> list[dict[str, UUID]]:
        if len({one["listing"] for one in rows}) != len(rows):
            message = "One symbol is named twice."
            raise serializers.ValidationError(message)
        _assets_are_there({key for one in rows for key in (one["base"], one["quote"])})
        return rows


class NewMeaning(Founded):
    base = serializers.UUIDField(help_text="An asset.")
    quote = serializers.UUIDField(help_text="An asset.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _assets_are_there({attrs["base"], attrs["quote"]})
        return attrs


class Several(Why):
    listings = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST, allow_empty=False
    )


def _assets_are_there(wanted: set[UUID]) -> None:
    missing = wanted - set(Asset.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if missing:
        message = f"There is no asset {min(map(str, missing))}."
        raise serializers.ValidationError(message)


def _fitting(given: dict[str, Any], *, base: str, quote: str, standing: str) -> Q:
    """Turn what was asked for into a condition."""
    names = {"venue": "venue__slug", "symbol": "symbol", "kind": "kind", "status": "status"}
    names |= {"text": "symbol__icontains", "base": base, "quote": quote, "standing": standing}
    return Q(**{path: given[name] for name, path in names.items() if name in given})


class Listings(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="listings_list",
        parameters=[WhichListings],
        responses={200: a_page_of(ListingView, "Listing"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List what venues list, what they say of it, and where the desk stands with it."""
        given = asked(request, WhichListings)
        fitting = _fitting(given, base="said_base", quote="said_quote", standing="standing")
        rows = LISTINGS.filter(fitting)
        rows = rows if given["gone"] else rows.filter(gone_at=None)
        return listed(rows, given, by="symbol", shown=shown_as(ListingView))


class OneListing(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(operation_id="listings_read", responses={200: ListingView, **refusals(404)})
    def get(self, request: Request, listing_id: UUID) -> Response:
        """Read what a venue says of one symbol."""
        return Response(ListingView(LISTINGS.get(pk=listing_id)).data)


class Suggested(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="listings_suggestions", responses={200: SuggestionView, **refusals(404)}
    )
    def get(self, request: Request, listing_id: UUID) -> Response:
        """Rank what a symbol may stand for, with what says so. Nothing is picked between two."""
        row = LISTINGS.get(pk=listing_id)
        return Response(SuggestionView(suggestions_for([row])[row.pk]).data)


class ProposeMappings(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="listings_propose",
        request=NewMappings,
        responses={202: ASKED, **refusals(400, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Ask what new symbols stand for, up to 500 at once where all rest on the same kind of evidence."""
        given = sent(request, NewMappings)
        wanted = [
            Wanted(listing_id=one["listing"], base_id=one["base"], quote_id=one["quote"])
            for one in given["symbols"]
        ]
        return waits(propose_mappings(wanted=wanted, by=caller(request), **_founded(given)))


class ChangeMapping(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="listings_change",
        request=NewMeaning,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, listing_id: UUID) -> Response:
        """Ask for a symbol to stand for something else; without `since` it always did."""
        row = LISTINGS.get(pk=listing_id)
        given = sent(request, NewMeaning)
        wanted = Wanted(listing_id=row.pk, base_id=given["base"], quote_id=given["quote"])
        return waits(propose_change(wanted=wanted, by=caller(request), **_founded(given)))


def _founded(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "evidence": Evidence(given["evidence"]),
        "since": given.get("since"),
        "reason": given["reason"],
    }


class ResumeListing(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="listings_resume",
        request=Why,
        responses={202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, listing_id: UUID) -> Response:
        """Ask to let a suspended symbol go on as what it stood for."""
        row = LISTINGS.get(pk=listing_id)
        reason = sent(request, Why)["reason"]
        return waits(propose_resume(listing_id=row.pk, reason=reason, by=caller(request)))


class SuspendListing(RegistryView):
    actions = {"POST": Action.FLAG_RAISE}

    @extend_schema(
        operation_id="listings_suspend",
        request=Why,
        responses={200: ListingView, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, listing_id: UUID) -> Response:
        """Stop new exposure by a symbol, at once; what gets out goes on."""
        row = LISTINGS.get(pk=listing_id)
        reason = sent(request, Why)["reason"]
        found = suspend(listing_id=row.pk, reason=reason, by=caller(request))
        return Response(ListingView(found).data)


class SetAside(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="listings_set_aside",
        request=Several,
        responses={200: ListingView(many=True), **refusals(400, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Say that the desk does not trade these, until what they are changes at the venue."""
        return _each(request, set_aside)


class TakeUp(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="listings_take_up",
        request=Several,
        responses={200: ListingView(many=True), **refusals(400, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Look again at what was not traded: it waits to be mapped, or to go on."""
        return _each(request, take_up)


def _each(request: Request, act: Any) -> Response:
    given = sent(request, Several)
    rows = act(listing_ids=set(given["listings"]), reason=given["reason"], by=caller(request))
    return Response(ListingView(rows, many=True).data, status=HTTPStatus.OK)


class Meanings(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="venue_symbols_list",
        parameters=[WhichMeanings],
        responses={200: a_page_of(VenueSymbolView, "VenueSymbol"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List what symbols stand for, at a moment, as far as it was known at another."""
        given = asked(request, WhichMeanings)
        fitting = _fitting(given, base="base", quote="quote", standing="listing__standing")
        rows = SYMBOLS.filter(fitting)
        if not given["history"]:
            clocks = clocks_of(given)
            rows = rows.at(as_of=clocks.as_of, known_at=clocks.known_at)
        return listed(rows, given, by="recorded_at", shown=shown_as(VenueSymbolView))


class OneMeaning(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="venue_symbols_read", responses={200: VenueSymbolView, **refusals(404)}
    )
    def get(self, request: Request, symbol_id: UUID) -> Response:
        """Read one claim about what a symbol stands for, also one that was superseded."""
        return Response(VenueSymbolView(SYMBOLS.get(pk=symbol_id)).data)
