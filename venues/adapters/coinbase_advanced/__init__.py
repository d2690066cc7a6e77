"""Coinbase Advanced Trade: REST v3 "brokerage" and its two sockets, for accounts of coinbase.com."""

from __future__ import annotations

from typing import Final

from venues.adapters.coinbase_advanced.client import CoinbaseAdvancedClient
from venues.adapters.coinbase_advanced.orders import CAPABILITIES
from venues.adapters.contract import Adapter, KeyField, VenueConfig

KEY_FIELDS: Final = (
    KeyField(
        name="key_id",
        label="API key name",
        help_text="As the portal shows it: organizations/…/apiKeys/… or a bare id.",
        is_secret=False,
    ),
    KeyField(
        name="secret",
        label="Private key",
        help_text="Ed25519 (one line of base64) or ECDSA (the whole PEM text). No passphrase.",
        is_secret=True,
        is_multiline=True,
    ),
)

LIVE: Final = VenueConfig(
    rest_url="https://api.coinbase.com",
    ws_url="wss://advanced-trade-ws.coinbase.com",
    ws_user_url="wss://advanced-trade-ws-user.coinbase.com",
)

ADAPTER: Final = Adapter(
    name="Coinbase Advanced",
    live=LIVE,
    key_fields=KEY_FIELDS,
    capabilities=CAPABILITIES,
    build=CoinbaseAdvancedClient,
)
