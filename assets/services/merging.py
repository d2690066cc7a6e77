"""Two assets turn out to be one, or are split again: each with a second person, and neither loses its id.

A merge is a dated claim that everything else is read through. Splitting ends it: what was said of either
is where it was, and what was said since stays with the asset it was said of.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from assets import events
from assets.errors import Conflict, GoesRound
from assets.models import Asset, Merge
from assets.services import findings
from assets.services.claims import constraint_of, ended, recorded, said, superseded, telling
from assets.services.guarding import (
    ALWAYS,
    as_content,
    asking,
    carrying_out,
    impact_on,
    moment,
)
from assets.services.holding import demand_edit, in_use
from assets.services.moving import added, belongings, objections
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.services.powers import latest
from cqops.platform.approvals.states import OPEN
from cqops.platform.audit.services import record

KIND = "assets.merge"
MERGE, SPLIT = "merge", "split"
PAIRS = UUID("0c6b1b52-7d4e-4f5e-9a43-5b6b0b9f2c77")
HERE = "the registry"
NOT_YET = "Say it once it is so: a merge holds since a moment that has come."


def subject_of(one: UUID, other: UUID) -> UUID:
    """Name two assets as what a request is about, whichever is named first."""
    return uuid5(PAIRS, ":".join(sorted([str(one), str(other)])))


@transaction.atomic
def propose_merge(
    *, asset_id: UUID, into_id: UUID, reason: str, by: User, since: datetime | None = None
) -> Request:
    """Ask a second person to agree that an asset is another one, since a moment or always."""
    one, other = _both(asset_id, into_id)
    _refuse_objections(one, other, since)
    return asking(
        kind=KIND,
        subject_id=subject_of(one.pk, other.pk),
        title=f"Merge {one.label} into {other.label}",
        instruction=_merge_of(one, other, since=since or ALWAYS, because=reason.strip()),
        assets={one.pk, other.pk},
        by=by,
        reason=reason,
    )


@transaction.atomic
def propose_split(*, merge: Merge, reason: str, by: User, since: datetime | None = None) -> Request:
    """Ask a second person to agree that it is another asset after all, since a moment or always."""
    _refuse_future(since)
    stands = standing(merge.asset_id, merge.into_id)
    if stands is None or stands.pk != merge.pk:
        message = f"{merge}: that does not stand any more. Look again."
        raise Conflict(message, merge)
    return asking(
        kind=KIND,
        subject_id=subject_of(stands.asset_id, stands.into_id),
        title=f"Split {stands.asset.label} from {stands.into.label}",
        instruction=_split_of(stands, since=since or ALWAYS, because=reason.strip()),
        assets={stands.asset_id, stands.into_id},
        by=by,
        reason=reason,
    )


def standing(asset_id: UUID | str, into_id: UUID | str) -> Merge | None:
    """Find the merge of two that holds, and was not ended."""
    rows = Merge.objects.known().filter(asset=asset_id, into=into_id, valid_to=None)
    return rows.select_related("asset", "into").first()


def between(one: UUID, other: UUID) -> Merge | None:
    """Find the merge of two that holds, whichever of them answers as the other."""
    return standing(one, other) or standing(other, one)


def waiting(one: UUID, other: UUID) -> Request | None:
    """Find what is asked about two assets now."""
    asked_about = Request.objects.with_names().filter(
        kind=KIND, subject_id=str(subject_of(one, other)), state__in=OPEN
    )
    return asked_about.first()


@transaction.atomic
def record_merge(
    *,
    asset_id: UUID,
    into_id: UUID,
    by: User | None,
    since: datetime | None = None,
    reason: str = "",
    approval: UUID | None = None,
) -> Merge:
    """Let an asset answer as another. PostgreSQL takes it only as approved, or while a desk is seeded."""
    demand_edit(by)
    one, other = _both(asset_id, into_id)
    _refuse_objections(one, other, since)
    claim = Merge(asset=one, into=other, valid_from=since, source=by.name if by else HERE)
    words = {
        "merge_is_one_step": f"{one.label} or {other.label} was merged otherwise meanwhile.",
        "merged_once_at_a_time": f"{one.label} answers as another asset at that time already.",
    }
    try:
        with telling(words):
            recorded(claim, by=by, approval=approval)
    except IntegrityError as error:
        if constraint_of(error) != "merge_goes_round":
            raise
        message = f"{one.label} and {other.label} come from each other: it would go round."
        raise GoesRound(message) from error
    _written("asset.merged", claim, after=said(claim), reason=reason, by=by)
    findings.confirm(claim)
    events.merged(claim)
    return claim


def _split(merge: Merge, *, since: datetime | None, reason: str, request: Request) -> None:
    demand_edit(request.requested_by)
    by, before = request.requested_by, said(merge)
    if since is None:
        superseded(merge)
    else:
        ended(merge, at=since, by=by, source=by.name, approval=request.pk)
    _written(
        "asset.split",
        merge,
        before=before,
        after={"since": since or ALWAYS},
        reason=reason,
        decision=str(request.pk),
        by=by,
    )
    findings.reopen(merge, now=timezone.now())
    events.split(merge, since=since)


def _written(  # noqa: PLR0913 -- an entry is all of this
    action: str,
    merge: Merge,
    *,
    after: dict[str, object],
    reason: str,
    by: User | None,
    before: dict[str, object] | None = None,
    decision: str = "",
) -> None:
    """Write it down for both: whoever reads the history of either finds it."""
    for subject in (merge.asset, merge.into):
        record(
            action=action,
            subject=subject,
            before=before,
            after=after,
            reason=reason,
            decision_id=decision or str(merge.approval_id or ""),
            by=by,
        )


def _both(asset_id: UUID, into_id: UUID) -> tuple[Asset, Asset]:
    # The lower id first, so that two who merge the same pair the other way round do not lock crosswise.
    keys = sorted({asset_id, into_id}, key=str)
    held = {key: in_use(key, also_merged=True) for key in keys}
    return held[asset_id], held[into_id]


def _refuse_objections(one: Asset, other: Asset, since: datetime | None) -> None:
    _refuse_future(since)
    if against := objections(one, other, since=since):
        raise Conflict(" ".join(against))


def _refuse_future(since: datetime | None) -> None:
    if since is not None and since > timezone.now():
        raise ValidationError({"since": NOT_YET})


def _merge_of(one: Asset, other: Asset, *, since: datetime | str, because: str) -> Content:
    follows = {f"{label} that follow": words for label, words in belongings(one.pk).items()}
    return {
        "Change": MERGE,
        **_pair(one, other),
        "Same since": since,
        **follows,
        "Because": because,
    }


def _split_of(merge: Merge, *, since: datetime | str, because: str) -> Content:
    one, other = merge.asset, merge.into
    returns = {f"{label} that return": words for label, words in belongings(one.pk).items()}
    since_then = added(other.pk, since=merge.recorded_at)
    stays = {f"{label} that stay with {other}": words for label, words in since_then.items()}
    return {
        "Change": SPLIT,
        **_pair(one, other),
        "Its own since": since,
        **returns,
        **stays,
        "Claim that stands": merge.pk,
        "Because": because,
    }


def _pair(one: Asset, other: Asset) -> Content:
    return {
        "Asset": one.label,
        "Asset id": one.pk,
        "Into": other.label,
        "Into id": other.pk,
    }


def instruction_now(subject_id: str) -> Content:
    """Write what is asked for over what is said of the two now."""
    return _instruction(latest(KIND, subject_id).instruction_texts)


def _instruction(rows: dict[str, str]) -> Content:
    if rows["Change"] == SPLIT:
        merge = standing(rows["Asset id"], rows["Into id"])
        if merge is None:
            return {"Change": SPLIT, "Claim that stands": "none"}
        return _split_of(merge, since=rows["Its own since"], because=rows["Because"])
    found = Asset.objects.in_bulk([rows["Asset id"], rows["Into id"]])
    one, other = found[UUID(rows["Asset id"])], found[UUID(rows["Into id"])]
    return _merge_of(one, other, since=rows["Same since"], because=rows["Because"])


def seen_now(subject_id: str) -> Content:
    rows = latest(KIND, subject_id).instruction_texts
    return as_content(impact_on({UUID(rows["Asset id"]), UUID(rows["Into id"])}))


@transaction.atomic
def settle(request: Request) -> None:
    """Do what was agreed to; anything else leaves the two as they are."""
    rows = request.instruction_texts
    keys = sorted([rows["Asset id"], rows["Into id"]])
    list(Asset.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    carrying_out(request, instruction=_instruction(rows), act=lambda: _act(request, rows))


def _act(request: Request, rows: dict[str, str]) -> None:
    if rows["Change"] == SPLIT:
        merge = standing(rows["Asset id"], rows["Into id"])
        if merge is None:
            message = "The two are split already."
            raise Conflict(message)
        since = moment(rows["Its own since"])
        _split(merge, since=since, reason=rows["Because"], request=request)
        return
    record_merge(
        asset_id=UUID(rows["Asset id"]),
        into_id=UUID(rows["Into id"]),
        since=moment(rows["Same since"]),
        reason=rows["Because"],
        by=request.requested_by,
        approval=request.pk,
    )


def page_of(subject_id: str) -> str:
    rows = latest(KIND, subject_id).instruction_texts
    return reverse("merging", args=[rows["Asset id"], rows["Into id"]])


merge_kind = Kind(
    label="Two assets are one, or are split again",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
