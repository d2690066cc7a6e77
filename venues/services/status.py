"""Whether the venues answer, for the status page and the overview: read, never asked."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from cqops.platform.telemetry.sights import is_believed, seen
from venues.models import Venue

SIMULATOR = "simulator"


def sight_of(venue: Venue) -> str:
    return f"venue:{venue.slug}"


def reachable() -> tuple[bool, str]:
    """Name the venues that did not answer when they were last asked, and those not asked lately."""
    now = timezone.now()
    venues = list(Venue.objects.filter(is_enabled=True).order_by("slug"))
    sights = seen(sight_of(venue) for venue in venues)
    found: dict[str, list[str]] = {"answers": [], "no answer": [], "not asked lately": []}
    for venue in venues:
        sight = sights.get(sight_of(venue))
        if sight is None or not is_believed(sight, now=now):
            found["not asked lately"].append(venue.name)
        else:
            found["answers" if sight.is_up else "no answer"].append(
                f"{venue.name} ({_ago(sight.at, now)})"
            )
    words = "; ".join(f"{what}: {', '.join(names)}" for what, names in found.items() if names)
    return len(found["answers"]) == len(venues), words or "no venue is switched on"


def simulator() -> tuple[bool, str]:
    now = timezone.now()
    sight = seen([SIMULATOR]).get(SIMULATOR)
    if sight is None or not is_believed(sight, now=now):
        return False, "not asked lately"
    return sight.is_up, f"{'answers' if sight.is_up else 'no answer'}, {_ago(sight.at, now)}"


def _ago(at: datetime, now: datetime) -> str:
    return f"{max((now - at).total_seconds(), 0):.0f} s ago"
