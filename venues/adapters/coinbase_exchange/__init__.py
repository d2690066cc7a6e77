"""Coinbase Exchange: the institutional spot exchange, HMAC with passphrase, REST and one feed."""

from __future__ import annotations

from typing import Final

from venues.adapters.coinbase_exchange.client import CoinbaseExchangeClient
from venues.adapters.coinbase_exchange.orders import CAPABILITIES
from venues.adapters.contract import Adapter, KeyField, VenueConfig

KEY_FIELDS: Final = (
    KeyField(
        name="key_id",
        label="API key",
        help_text="The key itself, as the API page of the profile shows it.",
        is_secret=False,
    ),
    KeyField(
        name="secret",
        label="API secret",
        help_text="One line of base64, shown once when the key is made.",
        is_secret=True,
    ),
    KeyField(
        name="passphrase",
        label="Passphrase",
        help_text="Chosen when the key was made; not the password of the sign-in.",
        is_secret=True,
    ),
)

LIVE: Final = VenueConfig(
    rest_url="https://api.exchange.coinbase.com",
    ws_url="wss://ws-feed.exchange.coinbase.com",
    ws_user_url="wss://ws-feed.exchange.coinbase.com",
)

ADAPTER: Final = Adapter(
    name="Coinbase Exchange",
    live=LIVE,
    key_fields=KEY_FIELDS,
    capabilities=CAPABILITIES,
    build=CoinbaseExchangeClient,
)
