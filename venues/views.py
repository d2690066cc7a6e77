from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from cqops.platform.access.doors import requires
from cqops.platform.access.policy import Action
from venues.models import VenueSymbol
from venues.services.books import read_book, read_touches, touch_of


@requires(Action.MARKET_VIEW)
def markets(request: HttpRequest) -> HttpResponse:
    symbols = list(
        VenueSymbol.objects.current().select_related("venue", "listing", "base", "quote")
    )
    touches = read_touches(symbols, now=timezone.now())
    rows = [(symbol, touches[symbol.key]) for symbol in symbols]
    return render(request, "venues/markets.html", {"rows": rows})


@requires(Action.MARKET_VIEW)
def market(request: HttpRequest, venue: str, symbol: str) -> HttpResponse:
    found = get_object_or_404(
        VenueSymbol.objects.current().select_related("venue", "listing", "base", "quote"),
        venue__slug=venue,
        symbol=symbol,
    )
    book = read_book(found)
    context = {"symbol": found, "book": book, "touch": touch_of(book, now=timezone.now())}
    return render(request, "venues/market.html", context)
