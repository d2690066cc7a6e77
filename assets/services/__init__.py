"""The registry's face: what other apps call to bring assets in. The rest is one module a kind of claim."""

from assets.services.catalogue import (
    create_asset,
    register_chain,
    retire_asset,
    save_asset,
    update_asset,
    update_chain,
)

__all__ = [
    "create_asset",
    "register_chain",
    "retire_asset",
    "save_asset",
    "update_asset",
    "update_chain",
]
