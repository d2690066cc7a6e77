from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cqops.platform.access.policy import Action
from venues.models import VenueSymbol
from venues.services.books import PublishedBook, read_book, read_touches, touch_of


class TickerView(serializers.Serializer[Any]):
    venue = serializers.SlugField()
    symbol = serializers.CharField()
    base = serializers.CharField()
    quote = serializers.CharField()
    status = serializers.CharField()
    book_state = serializers.CharField()
    bid = serializers.CharField(allow_null=True)
    ask = serializers.CharField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)


class BookView(serializers.Serializer[Any]):
    venue = serializers.SlugField()
    symbol = serializers.CharField()
    state = serializers.CharField(help_text="live, or why the book prices nothing now.")
    age_seconds = serializers.FloatField()
    bids = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    asks = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    received_at = serializers.DateTimeField()
    venue_time = serializers.DateTimeField(allow_null=True)


class Symbols(APIView):
    actions = {"GET": Action.MARKET_VIEW}

    @extend_schema(responses=TickerView(many=True))
    def get(self, request: Request) -> Response:
        """List every symbol in force with its best prices."""
        symbols = list(
            VenueSymbol.objects.current().select_related("venue", "listing", "base", "quote")
        )
        touches = read_touches(symbols, now=timezone.now())
        return Response([_ticker(symbol, touches) for symbol in symbols])


def _ticker(symbol: VenueSymbol, touches: dict[str, Any]) -> dict[str, Any]:
    touch = touches[symbol.key]
    return {
        "venue": symbol.venue.slug,
        "symbol": symbol.symbol,
        "base": symbol.base.symbol,
        "quote": symbol.quote.symbol,
        "status": symbol.shown_status,
        "book_state": touch.state,
        "bid": None if touch.bid is None else format(touch.bid, "f"),
        "ask": None if touch.ask is None else format(touch.ask, "f"),
        "age_seconds": touch.age_seconds,
    }


class Book(APIView):
    actions = {"GET": Action.MARKET_VIEW}

    @extend_schema(responses={200: BookView, 503: None})
    def get(self, request: Request, venue: str, symbol: str) -> Response:
        """Read one book as pages see it; 503 when there is none to show."""
        found = VenueSymbol.objects.current().filter(venue__slug=venue, symbol=symbol)
        row = found.select_related("venue").first()
        if row is None:
            raise Http404
        book = read_book(row)
        if book is None:
            detail = "There is no book for this symbol right now. Try again in a moment."
            return Response({"detail": detail}, status=503)
        return Response(_book(row, book))


def _book(symbol: VenueSymbol, book: PublishedBook) -> dict[str, Any]:
    touch = touch_of(book, now=timezone.now())
    return {
        "venue": symbol.venue.slug,
        "symbol": symbol.symbol,
        "state": touch.state,
        "age_seconds": touch.age_seconds,
        "bids": book.bids,
        "asks": book.asks,
        "received_at": book.received_at,
        "venue_time": book.venue_time,
    }
