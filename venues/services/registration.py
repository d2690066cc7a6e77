"""How venues and accounts come in; every door uses these. Keys come in by `keys`, symbols by `mapping`."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from cqops.platform.audit.services import record_saved, stored
from venues.adapters.registry import ADAPTERS
from venues.models import Account, Venue
from venues.services.addresses import foreign_addresses

OF_A_VENUE = (
    *("slug", "name", "adapter", "environment_id", "rest_url", "ws_url", "ws_user_url"),
    "is_enabled",
)
OF_AN_ACCOUNT = ("name", "venue_id", "environment_id", "is_enabled")


@transaction.atomic
def save_venue(*, venue: Venue) -> Venue:
    venue.environment_id = venue.environment_id or settings.ENVIRONMENT
    _refuse_foreign(venue.environment_id)
    if found := objections(venue):
        raise ValidationError(dict(found))
    venue.full_clean()
    old = stored(venue)
    venue.save()
    record_saved(kind="venue", old=old, new=venue, fields=OF_A_VENUE)
    return venue


def objections(venue: Venue) -> dict[str, str]:
    """Name what this installation cannot have of a venue, by its field; forms ask before they save."""
    found = foreign_addresses(venue)
    if venue.is_enabled and venue.adapter not in ADAPTERS:
        known = ", ".join(sorted(ADAPTERS))
        found["adapter"] = f"There is no such adapter. Known are: {known}."
    return found


@transaction.atomic
def save_account(*, account: Account) -> Account:
    account.environment_id = account.environment_id or settings.ENVIRONMENT
    _refuse_foreign(account.environment_id)
    account.full_clean()
    old = stored(account)
    account.save()
    record_saved(kind="account", old=old, new=account, fields=OF_AN_ACCOUNT)
    return account


def _refuse_foreign(environment: str) -> None:
    if environment != settings.ENVIRONMENT:
        message = f"This is a {settings.ENVIRONMENT} installation; {environment} does not belong."
        raise ValidationError({"environment": message})
