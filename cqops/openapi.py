"""How the OpenAPI document is made: its title, where its page comes from, and the names of enumerations."""

from __future__ import annotations

from typing import Any

DOCUMENT: dict[str, Any] = {
    "TITLE": "CQOps",
    "DESCRIPTION": "Registry, orders, books and positions of the desk, for programs.",
    "VERSION": "1",
    # Names for what would else be called after its field: several are called kind.
    "ENUM_NAME_OVERRIDES": {
        "AssetKind": "assets.models.AssetKind",
        "FlagKind": "assets.models.FlagKind",
        "RelationshipKind": "assets.models.RelationshipKind",
        "FlagSeverity": "assets.api.flags.SEVERITIES",
        "RegistryAnswer": "assets.services.resolution.Answer",
    },
    "SERVE_INCLUDE_SCHEMA": False,
    # What is sent may be narrower than what is answered: text that must not be empty says so.
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
