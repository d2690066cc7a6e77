"""Lists of breaks and reconciliations: filtered by what stands in the URL, paged by key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.access.rows import allowed_rows
from portfolio.models import UNRESOLVED, Break, BreakState, Outcome, Reconciliation
from portfolio.reconcile import Kind
from venues.models import Account

PAGE = 50
AGES = {"1": "older than a day", "7": "older than a week", "30": "older than a month"}
LAST_RUNS = 5


class BadCursor(ValueError):
    """The cursor is not one of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show. Without a state: what is not over yet. `before` is the cursor of the next page."""

    state: str = ""
    kind: str = ""
    account: str = ""
    owner: str = ""
    age: str = ""
    before: str = ""
    limit: int = PAGE

    @property
    def is_narrow(self) -> bool:
        return any((self.state, self.kind, self.account, self.owner, self.age, self.before))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an account stands: its latest runs, and what is open."""

    account: Account
    runs: list[Reconciliation]
    running: Reconciliation | None
    last: Reconciliation | None
    last_clean: Reconciliation | None
    breaks_open: int


def visible(by: User) -> QuerySet[Break]:
    """Return the breaks this person may see; nobody reads the table past this."""
    rows = Break.objects.select_related("account__venue", "owner")
    return allowed_rows(by, Action.RECON_VIEW, rows)


def rows(wanted: Filter, *, by: User) -> QuerySet[Break]:
    """Return every break that fits and that this person may see, newest first."""
    found = visible(by).order_by("-first_seen_at", "-id")
    if wanted.state in set(BreakState):
        found = found.filter(state=wanted.state)
    elif wanted.state != "all":
        found = found.filter(state__in=UNRESOLVED)
    if wanted.kind in set(Kind):
        found = found.filter(kind=wanted.kind)
    if wanted.account:
        found = found.filter(account__name=wanted.account)
    if wanted.age in AGES:
        found = found.filter(first_seen_at__lt=timezone.now() - timedelta(days=int(wanted.age)))
    return _of_owner(found, wanted.owner, by)


def _of_owner(found: QuerySet[Break], owner: str, by: User) -> QuerySet[Break]:
    if owner == "me":
        return found.filter(owner=by)
    if owner == "nobody":
        return found.filter(owner=None)
    return found.filter(owner__username=owner) if owner else found


def page(wanted: Filter, *, by: User) -> tuple[list[Break], str]:
    """Return one page and the cursor of the next, empty at the end."""
    found = rows(wanted, by=by)
    if wanted.before:
        at, key = _read_cursor(wanted.before)
        found = found.filter(Q(first_seen_at__lt=at) | Q(first_seen_at=at, pk__lt=key))
    taken = list(found[: wanted.limit + 1])
    shown = taken[: wanted.limit]
    return shown, _cursor(shown[-1]) if len(taken) > wanted.limit else ""


def _cursor(row: Break) -> str:
    return f"{row.first_seen_at.isoformat()}_{row.pk}"


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    message = "This page link is broken. Start again from the first page."
    moment, _, key = text.partition("_")
    try:
        at, row_id = datetime.fromisoformat(moment), UUID(key)
    except ValueError as error:
        raise BadCursor(message) from error
    if at.tzinfo is None:
        raise BadCursor(message)
    return at, row_id


def runs(*, by: User) -> QuerySet[Reconciliation]:
    """Return the reconciliations this person may see, newest first."""
    found = Reconciliation.objects.select_related("account__venue", "by")
    return allowed_rows(by, Action.RECON_VIEW, found)


def standings(*, by: User) -> list[Standing]:
    """Tell for each account in use how its books stand."""
    accounts = Account.objects.filter(is_enabled=True, venue__is_enabled=True)
    shown = allowed_rows(by, Action.RECON_VIEW, accounts.select_related("venue"))
    return [_standing(account) for account in shown]


def _standing(account: Account) -> Standing:
    mine = account.reconciliations.select_related("account__venue", "by")
    latest = list(mine[:LAST_RUNS])
    over = mine.exclude(finished_at=None)
    return Standing(
        account=account,
        runs=latest,
        running=next((run for run in latest if not run.is_over), None),
        last=over.first(),
        last_clean=over.filter(outcome=Outcome.CLEAN).first(),
        breaks_open=account.breaks.filter(state__in=UNRESOLVED).count(),
    )
