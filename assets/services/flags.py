"""Warnings about assets: raised by one person at once, cleared by one, or by two where they are severe."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from assets import events
from assets.errors import Conflict, NeedsSecond, Unfounded
from assets.models import QualityFlag
from assets.services.guarding import (
    as_content,
    asking,
    carrying_out,
    impact_on,
)
from assets.services.holding import demand_edit, held
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services import void
from cqops.platform.approvals.services.powers import latest
from cqops.platform.approvals.states import OPEN
from cqops.platform.audit.services import record

KIND = "assets.clear_flag"
_SAID = (
    *("kind", "severity", "source_kind", "source", "evidence_url", "note", "valid_from"),
    *("review_on", "expires_at"),
)


@transaction.atomic
def raise_flag(*, flag: QualityFlag, by: User | None) -> QualityFlag:
    """Warn about an asset, at once; also about one that was retired."""
    if by is not None:
        demand(by, Action.FLAG_RAISE, {})
    asset = held(flag.asset_id)
    flag.raised_at = timezone.now()
    flag.raised_by = by
    # A form may leave it out, and an unsaved row then has none.
    flag.valid_from = getattr(flag, "valid_from", None) or flag.raised_at
    flag.source = flag.source or (by.name if by else "")
    if not (flag.evidence_url or flag.note.strip()):
        message = "Say what it rests on: an address to read, or a note."
        raise Unfounded(message)
    flag.full_clean(exclude=["raised_by", "cleared_by", "approval"])
    flag.save(force_insert=True)
    after = {name: getattr(flag, name) for name in _SAID}
    record(action="flag.raised", subject=asset, after={"flag": flag.pk, **after}, by=by)
    events.flag_set(flag)
    return flag


@transaction.atomic
def clear_flag(*, flag: QualityFlag, reason: str, by: User) -> QualityFlag:
    """Clear a warning that one person may clear."""
    demand_edit(by)
    found = _locked(flag.pk)
    if found.is_severe:
        message = f"What is {found.get_severity_display().lower()} is cleared by two. Ask for it."
        raise NeedsSecond(message)
    _refuse_cleared(found)
    _clear(found, reason=reason, by=by, approval=None)
    return found


@transaction.atomic
def propose_clear(*, flag: QualityFlag, reason: str, by: User) -> Request:
    """Ask a second person to agree that a severe warning does not stand any more."""
    found = _locked(flag.pk)
    _refuse_cleared(found)
    return asking(
        kind=KIND,
        subject_id=found.pk,
        title=f"Clear of {found.asset.label}: {found}",
        instruction=_instruction(found, because=reason.strip()),
        assets={found.asset_id},
        by=by,
        reason=reason,
    )


@transaction.atomic
def review_flag(*, flag: QualityFlag, review_on: date, by: User) -> QualityFlag:
    """Put the day on which it is looked at again."""
    demand_edit(by)
    found = _locked(flag.pk)
    before = {"review_on": found.review_on}
    found.review_on = review_on
    found.save(update_fields=["review_on"])
    record(
        action="flag.reviewed",
        subject=found.asset,
        before=before,
        after={"review_on": review_on},
        by=by,
    )
    return found


def _locked(flag_id: UUID | str) -> QualityFlag:
    rows = QualityFlag.objects.select_related("asset")
    found = rows.get(pk=flag_id)
    held(found.asset_id)
    return rows.select_for_update(of=("self",)).get(pk=flag_id)


def _refuse_cleared(flag: QualityFlag) -> None:
    if flag.cleared_at is not None:
        message = f"It was cleared already: {flag.cleared_reason}"
        raise Conflict(message, flag)


def _clear(flag: QualityFlag, *, reason: str, by: User, approval: UUID | None) -> None:
    if not reason.strip():
        message = "Say why it does not stand any more."
        raise Unfounded(message)
    flag.cleared_at = max(timezone.now(), flag.raised_at)
    flag.cleared_by = by
    flag.cleared_reason = reason.strip()
    flag.approval_id = approval
    flag.save(update_fields=["cleared_at", "cleared_by", "cleared_reason", "approval"])
    record(
        action="flag.cleared",
        subject=flag.asset,
        before={"flag": flag.pk, "severity": flag.severity, "kind": flag.kind},
        after={"cleared_reason": flag.cleared_reason},
        reason=reason,
        decision_id=str(approval or ""),
        by=by,
    )
    events.flag_cleared(flag)
    waiting = Request.objects.filter(kind=KIND, subject_id=str(flag.pk), state__in=OPEN)
    for key in waiting.values_list("pk", flat=True):
        void(request_id=key, reason="The flag was cleared.", by=by)


def _instruction(flag: QualityFlag, *, because: str) -> Content:
    if flag.cleared_at is not None:
        return {"Flag": "cleared"}
    return {
        "Flag": flag.get_kind_display(),
        "Severity": flag.get_severity_display(),
        "Asset": flag.asset.label,
        "Asset id": flag.asset_id,
        "Source": flag.source,
        "Evidence": flag.evidence,
        "Raised": flag.raised_at,
        "Cleared because": because,
    }


def _read(flag_id: str) -> QualityFlag:
    return QualityFlag.objects.select_related("asset").get(pk=flag_id)


def instruction_now(flag_id: str) -> Content:
    return _instruction(
        _read(flag_id), because=latest(KIND, flag_id).instruction_texts["Cleared because"]
    )


def seen_now(flag_id: str) -> Content:
    return as_content(impact_on({_read(flag_id).asset_id}))


@transaction.atomic
def settle(request: Request) -> None:
    """Clear what two people agreed on; anything else leaves the warning standing."""
    flag = _locked(request.subject_id)
    because = request.instruction_texts["Cleared because"]

    def act() -> None:
        demand_edit(request.requested_by)
        _clear(flag, reason=because, by=request.requested_by, approval=request.pk)

    carrying_out(request, instruction=_instruction(flag, because=because), act=act)


def page_of(flag_id: str) -> str:
    return reverse("asset", args=[_read(flag_id).asset_id])


clear_kind = Kind(
    label="A severe warning is cleared",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
