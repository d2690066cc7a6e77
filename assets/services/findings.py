"""What becomes of a finding: dismissed by a person who says why, confirmed by a merge, open again by a split."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from assets.errors import Conflict, Unfounded
from assets.models import Asset, Finding, FindingKind, FindingState, Merge
from assets.services.answering import alike
from assets.services.holding import demand_edit
from cqops.platform.access.models import User
from cqops.platform.audit.services import record


@transaction.atomic
def dismiss(*, finding_id: UUID, reason: str, by: User) -> Finding:
    """Say why it is no duplicate. It comes back once there is something that was not there now."""
    demand_edit(by)
    if not reason.strip():
        message = "Say why it is no duplicate: whoever meets it again reads it."
        raise Unfounded(message)
    found = Finding.objects.select_for_update(no_key=True).get(pk=finding_id)
    if not found.is_open:
        message = f"It is not open any more: {found.get_state_display().lower()}."
        raise Conflict(message, found)
    found.state = FindingState.DISMISSED
    found.dismissed_at, found.dismissed_by = timezone.now(), by
    found.dismissed_reason = reason.strip()
    found.full_clean(validate_constraints=False, validate_unique=False)
    found.save(update_fields=["state", "dismissed_at", "dismissed_by", "dismissed_reason"])
    record(
        action="finding.dismissed",
        subject=found,
        before={"state": FindingState.OPEN, "assets": sorted(map(str, found.assets))},
        after={"state": found.state},
        reason=reason,
        by=by,
    )
    return found


def confirm(merge: Merge) -> None:
    """Settle what was found about assets that are all one now."""
    one = alike(merge.into_id, now=timezone.now()) | {merge.asset_id}
    undecided = Finding.objects.filter(state__in=[FindingState.OPEN, FindingState.DISMISSED])
    settled = undecided.filter(assets__contains=[merge.asset_id], assets__contained_by=list(one))
    _moved(settled, FindingState.CONFIRMED, merge)


def reopen(merge: Merge, *, now: datetime) -> None:
    """Open again what a merge had settled."""
    settled = Finding.objects.filter(
        state=FindingState.CONFIRMED, assets__contains=[merge.asset_id, merge.into_id]
    )
    _moved(settled, FindingState.OPEN, merge, opened_at=now)


def _moved(rows: QuerySet[Finding], state: FindingState, merge: Merge, **more: datetime) -> None:
    keys = list(rows.select_for_update().values_list("pk", flat=True))
    Finding.objects.filter(pk__in=keys).update(state=state, **more)
    for found in Finding.objects.filter(pk__in=keys):
        record(action=f"finding.{state}", subject=found, after={"state": state, "merge": merge.pk})


def assets_of(findings: Iterable[Finding]) -> dict[UUID, Asset]:
    """Read the assets of some findings at once."""
    return Asset.objects.in_bulk({key for one in findings for key in one.assets})


def counts() -> dict[str, int]:
    """Count what is open, by kind; a kind without any says zero."""
    rows = Finding.objects.filter(state=FindingState.OPEN).values_list("kind")
    counted = dict(rows.annotate(count=Count("pk")).order_by())
    return {kind: counted.get(kind, 0) for kind in FindingKind.values}
