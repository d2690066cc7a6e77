"""What a batch may do with one person, and what takes two: the contracts it brings, and taking them back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from assets.errors import Unfounded
from assets.models import Deed, ImportBatch, ImportRow, ImportState
from assets.services.guarding import as_content, asking, impact_on
from assets.services.importing.batches import held, move, start
from assets.services.importing.undoing import built_on
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import NO_FACT
from cqops.platform.approvals.states import State as Asked
from cqops.platform.audit.services import record

APPLY, UNDO = "assets.import", "assets.import_undo"
State = ImportState
# What can alter trading.
GUARDED = (Deed.CONTRACT, Deed.CORRECTION)
# Of so many existing assets it is gathered what rests on them; a list may touch thousands.
LOOKED_AT = 200


class NotYet(Refused):
    """Something has to be done first."""


def needs_second(batch: ImportBatch) -> bool:
    return any(batch.counts.get(deed, 0) for deed in GUARDED)


@transaction.atomic
def request_apply(
    *, batch_id: UUID, reason: str, by: User, leaves_errors_out: bool = False
) -> ImportBatch:
    """Apply a batch: by a worker at once, or once a second person agreed to the contracts in it."""
    demand(by, Action.REGISTRY_EDIT, {})
    batch = held(batch_id, State.READY)
    errors = batch.counts.get("error", 0)
    if errors and not leaves_errors_out:
        message = (
            f"{errors:,} line{'s have' if errors > 1 else ' has'} errors, so nothing is applied. Mend the file and"
            " send it again, or leave those lines out on purpose."
        )
        raise NotYet(message)
    batch.reason = _reason(reason)
    batch.leaves_errors_out = bool(errors)
    batch.save(update_fields=["reason", "leaves_errors_out"])
    if needs_second(batch):
        asked = _ask(APPLY, batch, title=f"Import of {batch}", by=by, reason=reason)
        move(batch, State.ASKED, approval=asked)
    else:
        start(batch, State.APPLYING, applied_by=by, approval=None)
    after = {**_told(batch), "errors left out": errors}
    record(action="import.asked", subject=batch, after=after, reason=reason, by=by)
    return batch


@transaction.atomic
def request_undo(*, batch_id: UUID, reason: str, by: User) -> ImportBatch:
    """Take back what a batch brought; where that was contracts, a second person agrees first."""
    demand(by, Action.REGISTRY_EDIT, {})
    batch = held(batch_id, State.APPLIED)
    _reason(reason)
    if words := built_on(batch):
        raise NotYet(words)
    batch.reason = reason.strip()[:300]
    batch.save(update_fields=["reason"])
    if needs_second(batch):
        title = f"Undo of the import of {batch}"
        asked = _ask(UNDO, batch, title=title, by=by, reason=reason)
        move(batch, State.UNDO_ASKED, undo_approval=asked)
    else:
        start(batch, State.UNDOING, undone_by=by, undo_approval=None)
    record(action="import.undo_asked", subject=batch, after=_told(batch), reason=reason, by=by)
    return batch


def _reason(reason: str) -> str:
    if not reason.strip():
        message = "Say why: whoever agrees reads it, and so does the audit."
        raise Unfounded(message)
    return reason.strip()[:300]


def _ask(kind: str, batch: ImportBatch, *, title: str, by: User, reason: str) -> Request:
    return asking(
        kind=kind,
        subject_id=batch.pk,
        title=title,
        instruction=instruction(batch),
        assets=touched(batch),
        by=by,
        reason=reason,
    )


def _told(batch: ImportBatch) -> dict[str, object]:
    return {"digest": batch.digest, **batch.counts}


def touched(batch: ImportBatch) -> set[UUID]:
    """Name assets that are here already and whose contracts it changes or adds to, as many as are looked at."""
    rows = ImportRow.objects.filter(batch=batch, known_id__isnull=False)
    guarded = rows.filter(deeds__overlap=[str(deed) for deed in GUARDED])
    found = guarded.order_by("known_id").values_list("known_id", flat=True).distinct()
    return {key for key in found[:LOOKED_AT] if key is not None}


def instruction(batch: ImportBatch) -> Content:
    """Write what two people agree to: every line, by the digest, and what that comes to."""
    done = {str(deed.label).capitalize(): batch.counts.get(deed, 0) for deed in Deed}
    return {
        "Source": batch.source,
        "File": batch.file_name,
        "File SHA-256": batch.file_hash,
        "Lines": batch.counts.get("lines", 0),
        **{label: count for label, count in done.items() if count},
        "Known assets whose contracts it touches": _touching(batch),
        "Conflicts left as they stand": batch.counts.get("conflicting", 0),
        "Lines with errors left out": batch.counts.get("error", 0),
        "Digest": batch.digest,
        "Because": batch.reason,
    }


def _touching(batch: ImportBatch) -> str:
    count = batch.counts.get("touched", 0)
    return f"{count}, of which {LOOKED_AT} were looked at" if count > LOOKED_AT else str(count)


def instruction_now(batch_id: str) -> Content:
    return instruction(_read(batch_id))


def seen_now(batch_id: str) -> Content:
    return as_content(impact_on(touched(_read(batch_id))))


def page_of(batch_id: str) -> str:
    return reverse("import", args=[batch_id])


def _read(batch_id: str) -> ImportBatch:
    return ImportBatch.objects.defer("content").get(pk=batch_id)


def _settling(
    waits: ImportState, goes: ImportState, back: ImportState, approval: str
) -> Callable[[Request], None]:
    """Give what was agreed to to a worker, which carries it out: that takes longer than settling may."""

    @transaction.atomic
    def settle(request: Request) -> None:
        batch = held(request.subject_id)
        if batch.state != waits or getattr(batch, approval) != request:
            # It was asked anew meanwhile, or is with a worker already.
            return
        if request.state == Asked.APPROVED:
            start(batch, goes)
        elif request.state != Asked.EXECUTED:
            move(batch, back, words=f"{request.sentence} {request.reason}".strip())

    return settle


settle_apply = _settling(State.ASKED, State.APPLYING, State.READY, "approval")
settle_undo = _settling(State.UNDO_ASKED, State.UNDOING, State.APPLIED, "undo_approval")

apply_kind = Kind(
    label="A list is imported",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle_apply,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
undo_kind = Kind(
    label="An import is undone",
    asks=Action.REGISTRY_EDIT,
    decides=Action.REGISTRY_APPROVE,
    settle=settle_undo,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=NO_FACT,
)
