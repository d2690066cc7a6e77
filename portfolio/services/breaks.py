"""What becomes of differences: one row each, kept, worked on by people, and closed by evidence or two."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.services import void
from cqops.platform.audit.services import record
from portfolio.live import break_changed
from portfolio.models import UNRESOLVED, Break, BreakNote, BreakState, Reconciliation
from portfolio.reconcile import Difference, plain


class NotNow(Exception):
    """The break is in no state for this; the message says which."""


def take_in(*, run: Reconciliation, differences: list[Difference], since: datetime | None) -> None:
    """Bring the breaks of an account in line with what a reconciliation found."""
    now = timezone.now()
    found = {one.key: one for one in differences}
    rows = Break.objects.select_for_update(of=("self",)).filter(account=run.account)
    known = {row.key: row for row in rows.filter(key__in=found) | rows.filter(state__in=UNRESOLVED)}
    for key, difference in found.items():
        row = known.get(key)
        if row is None:
            _open(run, difference, now)
        else:
            _see_again(row, run, difference, now)
    for key, row in known.items():
        is_looked_at = row.happened_at is None or since is None or row.happened_at >= since
        if key not in found and row.is_unresolved and is_looked_at:
            _resolve(row, run, now)


def _open(run: Reconciliation, difference: Difference, now: datetime) -> None:
    row = Break(account=run.account, key=difference.key, first_seen_at=now, state=BreakState.OPEN)
    _describe(row, run, difference, now)
    row.save(force_insert=True)
    note(row, "Found by the reconciliation.", by=None)
    break_changed(row)


def _describe(row: Break, run: Reconciliation, difference: Difference, now: datetime) -> None:
    row.kind = difference.kind
    row.title = difference.title[:200]
    row.amount = difference.amount
    row.unit = difference.unit
    row.ours = dict(difference.ours)
    row.theirs = dict(difference.theirs)
    row.happened_at = difference.at
    row.last_seen_at = now
    row.last_run = run


def _see_again(row: Break, run: Reconciliation, difference: Difference, now: datetime) -> None:
    """Keep it the same break; one that was over opens again unless two people accepted just this."""
    was, is_accepted = row.amount, row.accepted_amount == difference.amount
    state = BreakState(row.state)
    _describe(row, run, difference, now)
    if state is BreakState.RESOLVED or (state is BreakState.CLOSED and not is_accepted):
        row.state = BreakState.OPEN
        row.first_seen_at, row.ended_at, row.owner = now, None, None
        row.accepted_amount, row.close_reason = None, ""
        why = "It is back" if state is BreakState.RESOLVED else "It changed after it was closed"
        note(row, f"{why}: {_text(row)}, before {plain(was)}.", by=None)
    elif was != difference.amount:
        note(row, f"Now {_text(row)}, before {plain(was)}.", by=None)
        _stop_closing(row, "The difference is another one now.")
    save(row)


def _resolve(row: Break, run: Reconciliation, now: datetime) -> None:
    _stop_closing(row, "The difference is gone.")
    row.state = BreakState.RESOLVED
    row.ended_at = now
    row.last_run = run
    note(row, "Resolved by evidence: both sides agree now.", by=None)
    save(row)


def _stop_closing(row: Break, why: str) -> None:
    """Void the approval that is asked for: what was to be accepted is no longer what there is."""
    if row.state != BreakState.CLOSING:
        return
    row.state = BreakState.OPEN
    if row.closing_request is not None:
        void(request_id=row.closing_request, reason=why)
    row.closing_request = None


def _text(row: Break) -> str:
    return f"{plain(row.amount)} {row.unit}"


def assign(*, break_id: UUID, owner: User | None, by: User) -> Break:
    """Give a break to somebody who will look into it, or to nobody."""
    with transaction.atomic():
        row = lock(break_id, by=by)
        need(row, *UNRESOLVED)
        before, row.owner = row.owner, owner
        words = f"Assigned to {owner.name}." if owner else "Given back: nobody looks into it."
        note(row, words, by=by)
        save(row)
        record(
            action="break.assigned",
            subject=row,
            before={"owner": before.username if before else ""},
            after={"owner": owner.username if owner else ""},
            by=by,
        )
    return row


def add_note(*, break_id: UUID, words: str, by: User) -> Break:
    """Write down what was found out; the break stays as it is."""
    with transaction.atomic():
        row = lock(break_id, by=by)
        note(row, words, by=by)
        save(row)
        record(action="break.noted", subject=row, reason=words, by=by)
    return row


def explain(*, break_id: UUID, words: str, by: User) -> Break:
    """Say why the difference is there; that alone closes nothing."""
    with transaction.atomic():
        row = lock(break_id, by=by)
        need(row, BreakState.OPEN, BreakState.EXPLAINED)
        before, row.state = row.state, BreakState.EXPLAINED
        row.owner = row.owner or by
        note(row, f"Explained: {words}", by=by)
        save(row)
        record(
            action="break.explained",
            subject=row,
            before={"state": before},
            after={"state": row.state},
            reason=words,
            by=by,
        )
    return row


def lock(break_id: UUID | str, *, by: User | None = None) -> Break:
    """Read a break for change; the row stays ours until the transaction ends."""
    row = (
        Break.objects.select_for_update(of=("self",))
        .select_related("account__venue", "owner")
        .get(pk=break_id)
    )
    if by is not None:
        demand(by, Action.BREAK_WORK, row)
    return row


def note(row: Break, words: str, *, by: User | None) -> None:
    BreakNote.objects.create(about=row, at=timezone.now(), by=by, words=words.strip()[:1000])


def need(row: Break, *states: BreakState) -> None:
    """Refuse what does not fit the state the break is in."""
    if row.state not in states:
        raise NotNow(row.sentence)


def save(row: Break) -> None:
    """Save a locked break and tell the pages."""
    row.version += 1
    row.save()
    break_changed(row)
