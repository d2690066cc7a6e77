"""The end of a stand-in before its time, and the promise that there is one at a time.

Naming one needs a second person (`proposals`); ending one gives the absent person their own seat back,
so it needs nobody else.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.drafts import StandInDraft
from cqops.platform.approvals.errors import NotYours, TooLate
from cqops.platform.approvals.models import StandIn
from cqops.platform.audit.services import record


def overlap(draft: StandInDraft) -> str:
    """Say in words who stands in for this person already in that time, or nothing."""
    others = StandIn.objects.overlapping(draft.absent, start=draft.starts_at, end=draft.ends_at)
    found = others.select_related("absent", "stand_in").order_by("starts_at").first()
    if found is None:
        return ""
    return (
        f"{found.stand_in.username} stands in for {found.absent.username} until"
        f" {found.ends_at:%Y-%m-%d %H:%M} UTC already: end that first, or choose other days."
    )


@transaction.atomic
def end_stand_in(*, stand_in_id: UUID | str, by: User) -> StandIn:
    """End a stand-in now, for good: the absent person, who stands in, or whoever looks after rules."""
    row = StandIn.objects.select_for_update(of=("self",)).get(pk=stand_in_id)
    if by.pk not in {row.absent_id, row.stand_in_id} and not may(by, Action.RULE_EDIT):
        message = "Only the two it is about, or an admin, can end a stand-in."
        raise NotYours(message)
    now = timezone.now()
    if row.ended_at is not None or row.ends_at <= now:
        message = "It is over already."
        raise TooLate(message)
    row.ended_at, row.ended_by = now, by
    row.save(update_fields=["ended_at", "ended_by"])
    record(
        action="approval_stand_in.ended",
        subject_kind="approvals.stand_in",
        subject_id=str(row.pk),
        before={"until": row.ends_at},
        after={"until": now},
        by=by,
    )
    return row
