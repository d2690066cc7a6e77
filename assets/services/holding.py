"""What is held until commit while something is said about it, and who may say it."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db import connection

from assets.errors import Merged, Retired, Stale
from assets.models import Asset
from assets.models.registered import Registered
from assets.services.answering import standing_merge
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand

R = TypeVar("R", bound=Registered)


def hold(*names: object) -> None:
    """Hold a name: whoever says something about the same waits."""
    key = ":".join(str(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def held(asset_id: UUID | str) -> Asset:
    """Hold an asset, in use or retired: what was said of it may still end, and warnings still stand."""
    return Asset.objects.select_for_update(no_key=True).get(pk=asset_id)


def in_use(asset_id: UUID | str, *, also_merged: bool = False) -> Asset:
    """Hold an asset that something new is said about.

    About one that answers as another nothing new is said; what stands is still corrected.
    """
    asset = held(asset_id)
    refuse_retired(asset)
    if not also_merged and (merge := standing_merge(asset.pk)):
        message = f"{merge}, answers as that one. Say it there, or have the two split."
        raise Merged(message)
    return asset


def refuse_retired(row: Registered) -> None:
    if row.is_retired:
        message = f"{getattr(row, 'label', row)} was retired: {row.retired_reason}"
        raise Retired(message)


def locked(model: type[R], key: UUID | str, expected_version: int | None) -> R:
    """Hold a row for change, if it is still the version that was seen."""
    found = model._default_manager.select_for_update(no_key=True).get(pk=key)
    if expected_version not in {None, found.version}:
        message = (
            f"{found} was changed meanwhile: it is at version {found.version}, and you saw"
            f" {expected_version}. Look at it again before you change it."
        )
        raise Stale(message, found)
    return found


def next_version(row: Registered) -> None:
    row.version += 1
    row.save()


def demand_edit(by: User | None) -> None:
    """Ask for the power of whoever acts; nobody stands behind what is seeded."""
    if by is not None:
        demand(by, Action.REGISTRY_EDIT, {})
