"""What a worker does with a batch: reads it, applies it, undoes it. One worker at a time, and once.

The row says what is to be done and the bell is a hint. A batch whose worker died is taken up again by the
sweep; one that fails again and again goes back to whoever sent it, in words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from assets import doorbell, events
from assets.imports import Unreadable
from assets.models import ImportBatch, ImportRow, ImportState
from assets.models.imports import AT_WORK
from assets.services.guarding import carrying_out
from assets.services.holding import demand_edit
from assets.services.importing import judging
from assets.services.importing.applying import apply
from assets.services.importing.asking import instruction
from assets.services.importing.batches import held, move
from assets.services.importing.progress import note
from assets.services.importing.staging import stage
from assets.services.importing.undoing import undo
from assets.services.scanning import scan
from cqops.platform.access.policy import NotAllowed
from cqops.platform.alone import alone
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import void
from cqops.platform.audit.services import record

log = logging.getLogger(__name__)
State = ImportState
SCAN = "assets.scan_import"
MOST_ATTEMPTS = 3
UNHEARD_AFTER = timedelta(seconds=10)
GIVEN_UP = f"It was begun {MOST_ATTEMPTS} times and never came to an end. The log says why."


def work_on(batch_id: UUID | str) -> None:
    """Do what a batch waits for; whoever comes second finds it taken and leaves."""
    with alone(f"import:{batch_id}") as is_mine:
        if not is_mine or not _begun(batch_id):
            return
        state = ImportBatch.objects.values_list("state", flat=True).get(pk=batch_id)
        match State(state):
            case State.CHECKING:
                _check(batch_id)
            case State.APPLYING:
                _apply(batch_id)
            case State.UNDOING:
                _undo(batch_id)
            case _:
                return


def sweep() -> None:
    """Take up what a lost bell or a dead worker left lying."""
    left = ImportBatch.objects.filter(
        state__in=sorted(AT_WORK), moved_at__lt=timezone.now() - UNHEARD_AFTER
    )
    for key in left.order_by("moved_at").values_list("pk", flat=True)[:5]:
        try:
            work_on(key)
        except Exception:  # the next batch must not wait for this one; the next sweep tries again
            log.exception("import %s failed, the sweep tries again", key)


@transaction.atomic
def scan_brought(batch_id: UUID | str) -> None:
    """Compare what a batch brought with all assets; what is lost here the scan of the night finds."""
    rows = ImportRow.objects.filter(batch__pk=batch_id).exclude(deeds=[])
    found = rows.order_by().values_list("asset_id", flat=True).distinct()
    if keys := [key for key in found if key is not None]:
        scan(now=timezone.now(), assets=keys)


@transaction.atomic
def _begun(batch_id: UUID | str) -> bool:
    batch = held(batch_id)
    if not batch.is_at_work:
        return False
    if batch.attempts >= MOST_ATTEMPTS:
        back = {State.CHECKING: State.UNREADABLE, State.APPLYING: State.READY}
        request = batch.undo_approval if batch.state == State.UNDOING else batch.approval
        if request is not None and batch.state != State.CHECKING:
            void(request_id=request.pk, reason=GIVEN_UP)
        move(batch, back.get(State(batch.state), State.APPLIED), words=GIVEN_UP)
        return False
    batch.attempts += 1
    batch.save(update_fields=["attempts"])
    return True


@transaction.atomic
def _check(batch_id: UUID | str) -> None:
    batch = held(batch_id, State.CHECKING)
    note(batch.pk, "reading the file", 10)
    try:
        with transaction.atomic():
            stage(batch)
    except Unreadable as error:
        back = State.MAPPING if batch.is_table else State.UNREADABLE
        move(batch, back, words=str(error))
        record(action="import.unreadable", subject=batch, after={"why": str(error)})
        return
    note(batch.pk, "comparing with what stands here", 50)
    judging.judge(batch, now=timezone.now())
    found = dict(judging.counts(batch))
    note(batch.pk, "adding up", 90)
    move(batch, State.READY, counts=found, digest=judging.digest(batch))
    record(action="import.read", subject=batch, after={"digest": batch.digest, **found})


def _apply(batch_id: UUID | str) -> None:
    with transaction.atomic():
        batch = held(batch_id, State.APPLYING)
        by = batch.approval.requested_by if batch.approval else batch.applied_by
        assert by is not None  # noqa: S101 -- somebody always asked

        def act() -> None:
            demand_edit(by)
            now = timezone.now()
            apply(batch, by=by, approval=batch.approval_id, now=now)
            move(batch, State.APPLIED, applied_at=now, applied_by=by)
            _tell("import.applied", batch, batch.approval_id)
            # What looks like something else by now is looked for at once, and not only at night.
            doorbell.ring(SCAN, batch.pk)

        _carried_out(batch, act, approval="approval", back=State.READY)


def _undo(batch_id: UUID | str) -> None:
    with transaction.atomic():
        batch = held(batch_id, State.UNDOING)
        by = batch.undo_approval.requested_by if batch.undo_approval else batch.undone_by
        assert by is not None  # noqa: S101 -- somebody always asked

        def act() -> None:
            demand_edit(by)
            now = timezone.now()
            undo(batch, by=by, reason=batch.reason, approval=batch.undo_approval_id, now=now)
            move(batch, State.UNDONE, undone_at=now, undone_by=by)
            _tell("import.undone", batch, batch.undo_approval_id)

        _carried_out(batch, act, approval="undo_approval", back=State.APPLIED)


def _carried_out(
    batch: ImportBatch, act: Callable[[], None], *, approval: str, back: ImportState
) -> None:
    """Act with the approval there is, or by the one person who asked; a refusal is told on the batch."""
    request: Request | None = getattr(batch, approval)
    if request is not None:
        if carrying_out(request, instruction=instruction(batch), act=act):
            return
        request.refresh_from_db()
        words = f"{request.sentence} {request.reason}".strip()
    else:
        try:
            with transaction.atomic():
                act()
        except (Refused, NotAllowed, ValidationError, IntegrityError) as error:
            words = str(error).partition("\n")[0] or "Whoever asked for it may not do so now."
        else:
            return
    # What was taken back in the database still stands in memory.
    batch.refresh_from_db(fields=["state"])
    move(batch, back, words=words)
    record(action="import.not_done", subject=batch, after={"why": words})


def _tell(action: str, batch: ImportBatch, approval: UUID | None) -> None:
    record(
        action=action,
        subject=batch,
        after={"digest": batch.digest, "file": batch.file_hash, **batch.counts},
        reason=batch.reason,
        decision_id=str(approval or ""),
        by=batch.undone_by or batch.applied_by,
    )
    events.imported(action, batch)
