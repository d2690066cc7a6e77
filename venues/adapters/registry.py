"""Which venues there are. One line a venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from venues.adapters import coinbase_advanced, coinbase_exchange
from venues.adapters.contract import (
    Adapter,
    ApiKey,
    Capabilities,
    KeyField,
    Surroundings,
    VenueConfig,
)
from venues.interface.client import VenueClient

__all__ = [
    "ADAPTERS",
    "Adapter",
    "ApiKey",
    "Capabilities",
    "KeyField",
    "Surroundings",
    "VenueConfig",
    "build_client",
]

ADAPTERS: Final[Mapping[str, Adapter]] = {
    "coinbase_advanced": coinbase_advanced.ADAPTER,
    "coinbase_exchange": coinbase_exchange.ADAPTER,
}


def build_client(
    slug: str,
    *,
    config: VenueConfig,
    key: ApiKey | None,
    around: Surroundings | None = None,
) -> VenueClient:
    """Make the client of one account; without a key it reads public data only."""
    return ADAPTERS[slug].build(config=config, key=key, around=around or Surroundings())
