from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.inbox import needing, running_out
from cqops.platform.approvals.services.rulebook import impossible_rules
from cqops.platform.approvals.services.standing import stuck
from cqops.platform.overview import OverviewRow, Severity

MOST = 20


def rows(user: User) -> list[OverviewRow]:
    """Name what waits for this person, and rules that nobody can meet any more."""
    if not may(user, Action.APPROVAL_VIEW):
        return []
    return [*_waiting(user), *_stuck(user), *_impossible(user)]


def _waiting(user: User) -> list[OverviewRow]:
    now = timezone.now()
    waiting = needing(user, now=now)
    count = waiting.count()
    if not count:
        return []
    soon = running_out(waiting, now=now).exists()
    detail = "Somebody asked for a second person, and you can decide."
    return [
        OverviewRow(
            title="Waits for your decision",
            detail=f"{detail} The time of one is running out." if soon else detail,
            url=reverse("approvals"),
            severity=Severity.URGENT if soon else Severity.ATTENTION,
            count=count,
        )
    ]


def _stuck(user: User) -> list[OverviewRow]:
    """Name what this person asked for and nobody left could agree to."""
    asked = Request.objects.with_names().open().filter(requested_by=user)
    mine = list(asked[:MOST])
    found = stuck(mine, now=timezone.now())
    return [
        OverviewRow(
            title=f"Too few people are left to agree: {one.title}",
            detail="It ends at its deadline. Withdraw it, or ask an admin about its rule.",
            url=reverse("approval", args=[one.pk]),
            severity=Severity.ATTENTION,
        )
        for one in mine
        if one.pk in found
    ]


def _impossible(user: User) -> list[OverviewRow]:
    if not (may(user, Action.RULE_EDIT) or may(user, Action.RULE_APPROVE)):
        return []
    return [
        OverviewRow(
            title=f"Nobody can meet the approval rule {rule.name}",
            detail=f"{words} Requests under it end at their deadline.",
            url=reverse("admin:approvals_rule_changelist"),
            severity=Severity.ATTENTION,
        )
        for rule, words in impossible_rules(at=timezone.now())
    ]
