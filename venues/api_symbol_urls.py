"""The addresses of what venues list and what it stands for, under `/api/v1/`."""

from __future__ import annotations

from django.urls import path

from venues import api_symbols as symbols

urlpatterns = [
    path("listings", symbols.Listings.as_view(), name="api-listings"),
    path("listings/propose", symbols.ProposeMappings.as_view(), name="api-listings-propose"),
    path("listings/set-aside", symbols.SetAside.as_view(), name="api-listings-set-aside"),
    path("listings/take-up", symbols.TakeUp.as_view(), name="api-listings-take-up"),
    path("listings/<uuid:listing_id>", symbols.OneListing.as_view(), name="api-listing"),
    path(
        "listings/<uuid:listing_id>/suggestions",
        symbols.Suggested.as_view(),
        name="api-listing-suggestions",
    ),
    path(
        "listings/<uuid:listing_id>/change",
        symbols.ChangeMapping.as_view(),
        name="api-listing-change",
    ),
    path(
        "listings/<uuid:listing_id>/resume",
        symbols.ResumeListing.as_view(),
        name="api-listing-resume",
    ),
    path(
        "listings/<uuid:listing_id>/suspend",
        symbols.SuspendListing.as_view(),
        name="api-listing-suspend",
    ),
    path("venue-symbols", symbols.Meanings.as_view(), name="api-venue-symbols"),
    path("venue-symbols/<uuid:symbol_id>", symbols.OneMeaning.as_view(), name="api-venue-symbol"),
]
