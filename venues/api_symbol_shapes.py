"""How listings, venue symbols and suggestions are written for programs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from assets.api.inputs import ExactNumber
from assets.api.shapes import OF_A_CLAIM
from venues.models import Listing, VenueSymbol
from venues.suggestions import Suggestion

TERMS = ["price_tick", "quantity_step", "min_quantity", "min_notional", "status"]


class TermsView(serializers.ModelSerializer[Any]):
    venue = serializers.SlugField(source="venue.slug")
    kind = serializers.CharField()
    contract_size = ExactNumber(help_text="How much of the base one unit of quantity is.")
    price_tick = ExactNumber()
    quantity_step = ExactNumber()
    min_quantity = ExactNumber()
    min_notional = ExactNumber()
    status = serializers.CharField(help_text="What the venue lets us do with it.")


class ListingView(TermsView):
    """A symbol as its venue lists it, and where the desk stands with it."""

    standing = serializers.CharField(help_text="What the desk decided about it.")
    request = serializers.UUIDField(
        source="request_id", allow_null=True, help_text="What is asked about it, or was last."
    )

    class Meta:
        model = Listing
        fields = [
            *("id", "venue", "symbol", "said_base", "said_quote", "kind", "contract_size", *TERMS),
            *("standing", "why", "request", "listed_at", "missing_since", "gone_at"),
        ]


class VenueSymbolView(TermsView):
    """What a symbol stands for: true from `valid_from` to `valid_to`, known from `recorded_at` on."""

    listing = serializers.UUIDField(source="listing_id")
    base = serializers.UUIDField(source="base_id")
    base_symbol = serializers.CharField(source="base.symbol")
    quote = serializers.UUIDField(source="quote_id")
    quote_symbol = serializers.CharField(source="quote.symbol")
    recorded_by = serializers.CharField(
        source="recorded_by.username", allow_null=True, default=None
    )
    approval = serializers.UUIDField(source="approval_id", allow_null=True)

    class Meta:
        model = VenueSymbol
        fields = [
            *("id", "listing", "venue", "symbol", "base", "base_symbol", "quote", "quote_symbol"),
            *("kind", "contract_size", *TERMS, "synced_at", *OF_A_CLAIM),
        ]


class LegView(serializers.Serializer[Any]):
    """An asset that may be meant, what says so, and what speaks against it."""

    asset = serializers.UUIDField(source="asset_id")
    name = serializers.CharField(source="label")
    evidence = serializers.CharField()
    words = serializers.CharField()
    also = serializers.ListField(child=serializers.CharField(), help_text="What else says so.")
    doubts = serializers.ListField(child=serializers.CharField())


class PairView(serializers.Serializer[Any]):
    """One reading; it rests on the weaker of its two."""

    base = LegView()
    quote = LegView()
    evidence = serializers.CharField()


class SuggestionView(serializers.Serializer[Suggestion]):
    best = PairView(
        allow_null=True, help_text="The one reading that nothing speaks against, if there is one."
    )
    choices = PairView(many=True, help_text="Every reading, the nearest first.")
    warnings = serializers.ListField(child=serializers.CharField())
