"""Template: one line on what this venue is, how its keys sign, and how many sockets it has.

Copy this folder; `docs/adding-a-venue.md` says in which order its parts are written.
"""

from __future__ import annotations

from typing import Final

from venues.adapters._template.client import TemplateClient
from venues.adapters._template.orders import CAPABILITIES
from venues.adapters.contract import Adapter, KeyField, VenueConfig

KEY_FIELDS: Final = (
    KeyField(
        name="key_id",
        label="API key",
        help_text="In the venue's words: where its portal shows this.",
        is_secret=False,
    ),
    KeyField(
        name="secret",
        label="API secret",
        help_text="In the venue's words: what it looks like, and that it is shown once.",
        is_secret=True,
    ),
)

LIVE: Final = VenueConfig(
    rest_url="https://template.invalid",
    ws_url="wss://template.invalid",
    ws_user_url="wss://template.invalid",
)

ADAPTER: Final = Adapter(
    name="Template",
    live=LIVE,
    key_fields=KEY_FIELDS,
    capabilities=CAPABILITIES,
    build=TemplateClient,
)
