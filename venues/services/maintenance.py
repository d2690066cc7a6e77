"""Planned maintenance: entered and called off by people of the desk, and asked for by whoever warns."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record
from venues.models import Maintenance, Venue

LONGEST = timedelta(days=14)
FIELDS = ("venue_id", "starts_at", "ends_at", "note")


@transaction.atomic
def plan_maintenance(
    *, venue: Venue, starts_at: datetime, ends_at: datetime, note: str, by: User
) -> Maintenance:
    demand(by, Action.VENUE_NOTE, venue)
    if problems := objections(starts_at=starts_at, ends_at=ends_at, note=note):
        raise ValidationError(problems)
    planned = Maintenance.objects.create(
        venue=venue, starts_at=starts_at, ends_at=ends_at, note=note.strip()[:300], entered_by=by
    )
    after = {name: getattr(planned, name) for name in FIELDS}
    record(action="maintenance.planned", subject=planned, after=after, reason=planned.note, by=by)
    return planned


def objections(*, starts_at: datetime, ends_at: datetime, note: str) -> list[str]:
    """Say what cannot be a plan; a form asks before it saves."""
    found = []
    if ends_at <= starts_at:
        found.append("It has to end after it starts.")
    elif ends_at <= timezone.now():
        found.append("It is over already.")
    elif ends_at - starts_at > LONGEST:
        found.append(f"It may last at most {LONGEST.days} days. Enter the rest by itself.")
    if not note.strip():
        found.append("Say what it is for, such as the venue's own notice.")
    return found


@transaction.atomic
def call_off(*, planned: Maintenance, by: User) -> Maintenance:
    """Take a plan back, or end what is over early; doing it twice is doing it once."""
    planned = Maintenance.objects.select_for_update().select_related("venue").get(pk=planned.pk)
    demand(by, Action.VENUE_NOTE, planned)
    if planned.called_off_at is None:
        planned.called_off_at = timezone.now()
        planned.save(update_fields=["called_off_at"])
        after = {"called_off_at": planned.called_off_at}
        record(action="maintenance.called_off", subject=planned, after=after, by=by)
    return planned


def next_of(venue: UUID, *, now: datetime) -> Maintenance | None:
    """Return what goes on at a venue or comes next."""
    plans = Maintenance.objects.filter(venue_id=venue, called_off_at=None, ends_at__gt=now)
    return plans.order_by("starts_at").first()
