from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from cqops.platform.overview import OverviewRow, Severity
from portfolio.models import UNRESOLVED, Outcome
from portfolio.services.break_lists import standings, visible
from trading.models import ExecutionReport

OVERDUE = timedelta(seconds=30)
A_DAY = timedelta(days=1)
# A nightly run and some hours, so that one late night is no alarm.
NIGHT = timedelta(hours=30)


def rows(user: User) -> list[OverviewRow]:
    """Name what is in no position, and what our books and the venues' disagree about."""
    return unplaced_rows(user) + reconciliation_rows(user)


def unplaced_rows(user: User) -> list[OverviewRow]:
    """Name executions that belong to no position: not ours, not mapped, or not booked in time."""
    if not may(user, Action.POSITION_VIEW):
        return []
    stray = ExecutionReport.objects.filter(
        position_entry=None, recorded_at__lt=timezone.now() - OVERDUE
    )
    count = allowed_rows(user, Action.POSITION_VIEW, stray).count()
    if not count:
        return []
    return [
        OverviewRow(
            title="Executions in no position",
            detail="They were done at a venue but belong to no order of ours, or to a symbol that is "
            "not mapped.",
            url=reverse("admin:trading_executionreport_changelist"),
            severity=Severity.ATTENTION,
            count=count,
        )
    ]


def reconciliation_rows(user: User) -> list[OverviewRow]:
    """Name open breaks by age, accounts nobody could check, and when each was last clean."""
    if not may(user, Action.RECON_VIEW):
        return []
    now = timezone.now()
    open_breaks = visible(user).filter(state__in=UNRESOLVED)
    old = open_breaks.filter(first_seen_at__lt=now - A_DAY).count()
    found = [
        OverviewRow(
            title="Breaks older than a day",
            detail="Our books and a venue's disagree, and it is not explained away by itself.",
            url=f"{reverse('breaks')}?age=1",
            severity=Severity.URGENT,
            count=old,
        ),
        OverviewRow(
            title="Breaks found in the last day",
            detail="Our books and a venue's disagree.",
            url=reverse("breaks"),
            severity=Severity.ATTENTION,
            count=open_breaks.count() - old,
        ),
    ]
    return [row for row in found if row.count] + _accounts(user, now)


def _accounts(user: User, now: datetime) -> list[OverviewRow]:
    """Say one line for each account that was not checked, or is due, or was clean."""
    rows = []
    for one in standings(by=user):
        clean = one.last_clean.finished_at if one.last_clean else None
        words = f"Last clean at {clean:%Y-%m-%d %H:%M} UTC." if clean else "It was never clean."
        if one.last is not None and one.last.outcome == Outcome.NOT_CHECKED:
            title, severity = f"Not checked: {one.account}", Severity.ATTENTION
            words = f"{one.last.words} {words}"
        elif one.last is None or now - one.last.requested_at > NIGHT:
            title, severity = f"Not reconciled lately: {one.account}", Severity.ATTENTION
        elif one.last.outcome == Outcome.CLEAN:
            title, severity = f"Reconciled, nothing open: {one.account}", Severity.INFO
        else:
            continue
        rows.append(
            OverviewRow(title=title, detail=words, url=reverse("reconciliation"), severity=severity)
        )
    return rows
