"""Harbour: a venue that exists nowhere, as the worked example of `docs/adding-a-venue.md`."""

from __future__ import annotations

from tests.venues.fictional.adapter.client import HarbourClient
from tests.venues.fictional.adapter.orders import CAPABILITIES
from venues.adapters.contract import Adapter, KeyField, VenueConfig

ADAPTER = Adapter(
    name="Harbour",
    live=VenueConfig(
        rest_url="https://harbour.invalid",
        ws_url="wss://harbour.invalid/ws",
        ws_user_url="wss://harbour.invalid/ws",
    ),
    key_fields=(
        KeyField(name="key_id", label="Berth", help_text="The berth's name.", is_secret=False),
        KeyField(name="secret", label="Lantern code", help_text="Shown once.", is_secret=True),
    ),
    capabilities=CAPABILITIES,
    build=HarbourClient,
)
