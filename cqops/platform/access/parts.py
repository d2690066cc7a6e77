"""The venues, accounts and portfolios a role can be given for, read from the settings' own table."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from cqops.platform.access.scopes import Scope

WHOLE_DESK = "The whole desk"


@cache
def models() -> dict[Scope, type[Model]]:
    """Find, for each kind of part, the model whose own key names it."""
    own = {
        Scope(kind): label
        for label, paths in settings.ACCESS_SCOPES.items()
        for kind, path in paths.items()
        if path == "id"
    }
    return {kind: apps.get_model(label) for kind, label in own.items()}


def choices() -> list[tuple[str, str]]:
    """List every part of the desk, by kind and name."""
    return [
        (f"{kind}:{row.pk}", f"{kind.title()}: {row}")
        for kind, model in models().items()
        for row in model._base_manager.all()
    ]


def name_of(kind: str, key: UUID | None) -> str:
    model = models().get(Scope(kind))
    if model is None or key is None:
        return WHOLE_DESK
    return str(model._base_manager.filter(pk=key).first() or "no longer there")
