"""Lists of requests: what needs somebody, what waits for others, paged by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from cqops.platform.approvals.kinds import all_kinds
from cqops.platform.approvals.models import LAST_PART, Decision, Request
from cqops.platform.approvals.services.people import seats_of
from cqops.platform.approvals.states import ENDED, OPEN, State

PAGE = 50
MINE, OTHERS, ALL = "mine", "others", "all"
TABS = (MINE, OTHERS, ALL)


class BadCursor(ValueError):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. `before` is the cursor of the next page."""

    tab: str = MINE
    kind: str = ""
    state: str = ""
    text: str = ""
    before: str = ""
    limit: int = field(default=PAGE)


def visible(by: User) -> QuerySet[Request]:
    """Return the requests this person may see; nobody reads the table past this."""
    return allowed_rows(by, Action.APPROVAL_VIEW, Request.objects.with_names())


def needing(user: User, *, now: datetime) -> QuerySet[Request]:
    """Return what this person can decide now: power, seat, not their own, not decided before."""
    kinds = [name for name, kind in all_kinds().items() if may(user, kind.decides)]
    if not kinds:
        return Request.objects.none()
    reachable = Request.objects.none()
    for action in {all_kinds()[name].decides for name in kinds}:
        mine = [name for name in kinds if all_kinds()[name].decides == action]
        reachable = reachable | allowed_rows(user, action, Request.objects.filter(kind__in=mine))
    decided = Decision.objects.filter(by=user).values("request_id")
    return (
        reachable.filter(state=State.PENDING, deadline__gt=now)
        .filter(Q(groups=[]) | Q(groups__overlap=seats_of(user, at=now)))
        .exclude(requested_by=user)
        .exclude(subject_id=str(user.pk))
        .exclude(pk__in=decided)
    )


def running_out(rows: QuerySet[Request], *, now: datetime) -> QuerySet[Request]:
    """Keep those whose last tenth of time has begun."""
    length = ExpressionWrapper(F("deadline") - F("requested_at"), output_field=DurationField())
    return rows.annotate(time_given=length).filter(deadline__lte=now + F("time_given") / LAST_PART)


def rows(wanted: Filter, *, by: User, now: datetime) -> QuerySet[Request]:
    """Return every request that fits and that this person may see."""
    found = _tab(wanted.tab, by=by, now=now)
    if wanted.kind:
        found = found.filter(kind=wanted.kind)
    if wanted.state == "open":
        found = found.filter(state__in=OPEN)
    elif wanted.state == "ended":
        found = found.filter(state__in=ENDED)
    elif wanted.state in set(State):
        found = found.filter(state=wanted.state)
    if wanted.text:
        found = found.filter(
            Q(title__icontains=wanted.text)
            | Q(requested_by__username__icontains=wanted.text)
            | Q(subject_id__istartswith=wanted.text)
        )
    return found


def _tab(tab: str, *, by: User, now: datetime) -> QuerySet[Request]:
    """Order what is open by urgency and everything else by time."""
    if tab == ALL:
        return visible(by).order_by("-requested_at", "-id")
    mine = needing(by, now=now)
    if tab == OTHERS:
        waiting = visible(by).filter(state=State.PENDING, deadline__gt=now)
        return waiting.exclude(pk__in=mine.values("pk")).order_by("deadline", "id")
    return visible(by).filter(pk__in=mine.values("pk")).order_by("deadline", "id")


def page(wanted: Filter, *, by: User) -> tuple[list[Request], str]:
    """Return one page and the cursor of the next, empty at the end."""
    found = rows(wanted, by=by, now=timezone.now())
    if wanted.before:
        at, key = _read_cursor(wanted.before)
        if wanted.tab == ALL:
            found = found.filter(Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=key))
        else:
            found = found.filter(Q(deadline__gt=at) | Q(deadline=at, pk__gt=key))
    taken = list(found[: wanted.limit + 1])
    shown = taken[: wanted.limit]
    return shown, _cursor(wanted, shown[-1]) if len(taken) > wanted.limit else ""


def _cursor(wanted: Filter, last: Request) -> str:
    at = last.requested_at if wanted.tab == ALL else last.deadline
    return f"{at.isoformat()}_{last.pk}"


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    moment, _, key = text.partition("_")
    try:
        at, request_id = datetime.fromisoformat(moment), UUID(key)
    except ValueError as error:
        message = "This page link is broken. Start again from the first page."
        raise BadCursor(message) from error
    if at.tzinfo is None:
        message = "This page link is broken. Start again from the first page."
        raise BadCursor(message)
    return at, request_id
