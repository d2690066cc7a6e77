"""How a venue stands now, put together for the page and the endpoint that show it.

Nothing here asks a venue: it is what processes wrote down (`readings`, `health`, `drifting`, `archiving`),
each with its age, so that a page is never slower than the venue it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from venues.models import (
    Account,
    ArchiveDay,
    Credential,
    DriftReport,
    Maintenance,
    Venue,
    VenueHealth,
)
from venues.services.frames import days_of
from venues.services.guarding import PUBLIC
from venues.services.readings import Calls, Said, calls_of, said_of, whole

# Beat asks every thirty seconds; what is older than three times that says nothing about now.
HEALTH_BELIEVED_SECONDS = 90
MOST_DRIFT = 50


@dataclass(frozen=True, slots=True)
class Told:
    """What one process says of one account or of public data."""

    said: Said
    whose: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class KeyState:
    account: Account
    words: str
    since: datetime | None
    is_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`calls` and `told` are None while Redis is away: not known is not the same as none."""

    venue: Venue
    health: VenueHealth | None
    is_health_old: bool
    calls: Sequence[Calls] | None
    total: Calls
    told: Sequence[Told] | None
    drift: Sequence[DriftReport]
    maintenance: Sequence[Maintenance]
    accounts: Sequence[KeyState]
    days: Sequence[ArchiveDay]
    today: date

    def of(self, what: str) -> list[Told]:
        return [one for one in self.told or () if one.said.what == what]

    @property
    def budgets(self) -> list[Told]:
        """Return each bucket as it was last told: all processes draw from the same ones."""
        newest: dict[tuple[str, str], Told] = {}
        for one in sorted(self.of("budget"), key=lambda told: -told.age_seconds):
            newest[one.whose, one.said.name] = one
        return [newest[key] for key in sorted(newest)]

    @property
    def breakers(self) -> list[Told]:
        return self.of("breaker")

    @property
    def open_breakers(self) -> list[Told]:
        return [one for one in self.breakers if one.said.words not in {"", "closed"}]

    @property
    def streams(self) -> list[Told]:
        return self.of("stream")

    @property
    def resting(self) -> Maintenance | None:
        return self.maintenance[0] if self.maintenance else None

    @property
    def bytes_today(self) -> int:
        return sum(one.bytes + one.public_bytes for one in self.days if one.day == self.today)

    @property
    def new_drift(self) -> int:
        return sum(not report.is_known for report in self.drift)

    @property
    def state(self) -> str:
        """Say in one word what a list shows."""
        if not self.venue.is_enabled:
            return "off"
        if self.health is None or self.is_health_old:
            return "not_checked"
        return "up" if self.health.is_up else "down"


def standing_of(venue: Venue, *, by: User, now: datetime) -> Standing:
    """Put together what this person may see: keys, drift and accounts need a right to the venue."""
    accounts = list(
        allowed_rows(by, Action.VENUE_VIEW, Account.objects.filter(venue=venue)).order_by("name")
    )
    names = {str(account.pk): account.name for account in accounts}
    calls = calls_of(venue.slug, now=now.timestamp())
    health = VenueHealth.objects.filter(venue=venue).first()
    may_see_venue = may(by, Action.VENUE_VIEW, venue)
    today = now.astimezone(UTC).date()
    return Standing(
        venue=venue,
        health=health,
        is_health_old=health is not None
        and (now - health.asked_at).total_seconds() > HEALTH_BELIEVED_SECONDS,
        calls=calls,
        total=whole(calls or ()),
        told=_told(said_of(venue.slug, now=now.timestamp()), names, now=now),
        drift=list(venue.drift.select_related("known_by")[:MOST_DRIFT]) if may_see_venue else [],
        maintenance=list(
            venue.maintenance.filter(called_off_at=None, ends_at__gt=now).select_related(
                "entered_by"
            )
        ),
        accounts=[_key_state(account) for account in accounts],
        days=days_of(venue.slug, until=today),
        today=today,
    )


def standings(*, by: User, now: datetime) -> list[Standing]:
    return [standing_of(venue, by=by, now=now) for venue in Venue.objects.order_by("name")]


def _told(said: list[Said] | None, names: dict[str, str], *, now: datetime) -> list[Told] | None:
    """Name accounts by their names, and leave out those this person may not see."""
    if said is None:
        return None
    whose = {PUBLIC: "public", "": "public", **names}
    return [
        Told(one, whose[one.account], max(now.timestamp() - one.at, 0.0))
        for one in said
        if one.account in whose
    ]


def _key_state(account: Account) -> KeyState:
    keys = Credential.objects.filter(account=account)
    in_use, waiting = keys.in_use().first(), keys.waiting().exists()
    if in_use is not None:
        words = "in use, and a newer one waits for a second person" if waiting else "in use"
        return KeyState(account, words, in_use.activated_at, account.is_enabled)
    words = "waits for a second person" if waiting else "none"
    return KeyState(account, words, None, is_well=False)


def unknown_drift(*, by: User) -> int:
    """Count the reports that nobody looked at, of venues this person may note something about."""
    rows = allowed_rows(by, Action.VENUE_NOTE, DriftReport.objects.filter(is_known=False))
    return rows.filter(venue__is_enabled=True).count()
