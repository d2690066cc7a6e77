"""Coinbase Advanced Trade: REST v3 "brokerage" and its two sockets, for accounts of coinbase.com."""

from __future__ import annotations

from typing import Final

from venues.adapters.coinbase_advanced.client import CoinbaseAdvancedClient
from venues.adapters.coinbase_advanced.orders import CAPABILITIES
from venues.adapters.coinbase_advanced.signer import HMAC, SCHEME, TOKENS
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
        help_text="Ed25519 (one line of base64) or ECDSA (the whole PEM text), or the secret of an"
        " older key. No passphrase.",
        is_secret=True,
        is_multiline=True,
    ),
    KeyField(
        name=SCHEME,
        label="Kind of key",
        help_text="Keys made today sign tokens. Older ones, which the venue has retired for most"
        " users, sign with HMAC.",
        is_secret=False,
        is_required=False,
        choices=((TOKENS, "Developer platform key (JWT)"), (HMAC, "Older API key (HMAC)")),
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
