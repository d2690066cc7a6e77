"""A reconciliation from the asking to the end: asked for by the schedule or a person, run by a worker.

The row is the truth and the doorbell a hint. One runs at a time for an account: the row's own
constraint keeps a second from being asked for, a lock in the database a second worker from running it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.alone import alone
from cqops.platform.audit import services as audit
from portfolio.live import reconciliation_changed
from portfolio.models import UNRESOLVED, Break, Outcome, Reconciliation, Trigger
from portfolio.reconcile import Difference, seen_twice
from portfolio.services.breaks import take_in
from portfolio.services.looks import Look, look
from trading.doorbell import ring
from trading.services.executions import record
from venues.interface.errors import VenueError
from venues.interface.types import Fill
from venues.models import Account

log = logging.getLogger(__name__)
RUN = "portfolio.reconcile"
WINDOW = timedelta(hours=48)
RECHECK_SECONDS = 6.0
UNHEARD_AFTER = timedelta(seconds=5)
MOST_ATTEMPTS = 3
Wait = Callable[[float], None]


def run_reconciliation(
    *, account: Account, by: User | None = None, wait: Wait = time.sleep
) -> Reconciliation:
    """Compare an account with its venue now, and wait for the outcome."""
    run = request_reconciliation(account=account, by=by)
    carry_out(run.pk, wait=wait)
    run.refresh_from_db()
    return run


def request_reconciliation(*, account: Account, by: User | None = None) -> Reconciliation:
    """Ask for a comparison; while one is waiting or running, that one is the answer."""
    if by is not None:
        demand(by, Action.RECON_RUN, account)
    try:
        with transaction.atomic():
            run = Reconciliation.objects.create(
                account=account,
                triggered_by=Trigger.SCHEDULE if by is None else Trigger.PERSON,
                by=by,
                requested_at=timezone.now(),
            )
            reconciliation_changed(run)
            ring(RUN, run.pk)
            if by is not None:
                audit.record(action="reconciliation.requested", subject=run, by=by)
    except IntegrityError:
        running = Reconciliation.objects.filter(account=account, finished_at=None).first()
        if running is not None:
            return running
        # It ended between the two questions, so a new one may begin.
        return request_reconciliation(account=account, by=by)
    return run


def request_all() -> int:
    """Ask for every account that is in use: what the nightly schedule does."""
    accounts = Account.objects.filter(is_enabled=True, venue__is_enabled=True)
    for account in accounts.select_related("venue"):
        request_reconciliation(account=account)
    return len(accounts)


def sweep_reconciliations() -> None:
    """Run what a lost doorbell or a dead worker left lying."""
    left = Reconciliation.objects.filter(
        finished_at=None, requested_at__lt=timezone.now() - UNHEARD_AFTER
    )
    for key in left.order_by("requested_at").values_list("pk", flat=True)[:20]:
        try:
            carry_out(key)
        except Exception:  # the next account must not wait for this one; the next sweep tries again
            log.exception("reconciliation %s failed, the sweep tries again", key)


def carry_out(run_id: UUID | str, *, wait: Wait = time.sleep) -> None:
    """Run one that waits; whoever comes second finds it taken and leaves."""
    run = Reconciliation.objects.select_related("account__venue").get(pk=run_id)
    with alone(f"reconciliation:{run.account.pk}") as is_mine:
        if not is_mine:
            return
        run.refresh_from_db(fields=["finished_at", "attempts", "started_at"])
        if run.is_over:
            return
        if run.attempts >= MOST_ATTEMPTS:
            _end(run, Outcome.NOT_CHECKED, f"It was interrupted {MOST_ATTEMPTS} times.")
            return
        run.attempts += 1
        run.started_at = timezone.now()
        run.save(update_fields=["attempts", "started_at"])
        try:
            _compare(run, wait)
        except VenueError as error:
            _end(run, Outcome.NOT_CHECKED, f"{error}")


def _compare(run: Reconciliation, wait: Wait) -> None:
    """Look once, and a second time at whatever does not agree before it becomes a break."""
    since = _window(run.account)
    run.fills_since = since
    _say(run, "comparing with the venue")
    seen = look(account=run.account, since=since)
    differences = seen.differences
    if differences:
        _say(run, f"looking again at {len(differences)} differences")
        wait(RECHECK_SECONDS)
        seen = look(account=run.account, since=since)
        differences = seen_twice(differences, seen.differences)
    _conclude(run, seen, differences)
    _book(run.account, seen.missing_here, differences)


def _window(account: Account) -> datetime:
    """Go back two days, and as far as the last proof and the oldest unresolved execution."""
    since = timezone.now() - WINDOW
    proven = (
        Reconciliation.objects.filter(account=account)
        .filter(outcome__in=[Outcome.CLEAN, Outcome.BREAKS])
        .values_list("started_at", flat=True)
        .first()
    )
    oldest = (
        Break.objects.filter(account=account, state__in=UNRESOLVED, happened_at__isnull=False)
        .order_by("happened_at")
        .values_list("happened_at", flat=True)
        .first()
    )
    return min(moment for moment in (since, proven, oldest) if moment is not None)


@transaction.atomic
def _conclude(run: Reconciliation, seen: Look, differences: list[Difference]) -> None:
    take_in(run=run, differences=differences, since=run.fills_since)
    run.balances_compared = seen.balances
    run.orders_compared = seen.orders
    run.fills_compared = seen.fills
    unresolved = Break.objects.filter(account=run.account, state__in=UNRESOLVED)
    run.breaks_open = unresolved.count()
    words = [f"{run.breaks_open} open" if run.breaks_open else "nothing open"]
    if seen.unmapped:
        words.append(f"{seen.unmapped} executions of symbols that are not mapped are in no balance")
    outcome = Outcome.BREAKS if run.breaks_open else Outcome.CLEAN
    _end(run, outcome, "; ".join(words))


def _book(account: Account, missing: list[Fill], differences: list[Difference]) -> None:
    """Book executions we had missed: a late fill is booked always, and the break stays as history."""
    proven = {one.key for one in differences}
    fills = [fill for fill in missing if f"fill:{fill.venue_execution_id}" in proven]
    if fills:
        booked = record(account=account, fills=fills, by="reconciliation")
        log.warning("%s: the reconciliation booked %d missed executions", account, booked)


def _say(run: Reconciliation, stage: str) -> None:
    run.stage = stage
    run.save(update_fields=["stage", "fills_since"])
    reconciliation_changed(run)


@transaction.atomic
def _end(run: Reconciliation, outcome: Outcome, words: str) -> None:
    run.outcome = outcome
    run.words = words[:500]
    run.stage = "done"
    run.finished_at = timezone.now()
    run.save()
    reconciliation_changed(run)
    audit.record(
        action="reconciliation.finished",
        subject=run,
        after={
            "outcome": outcome,
            "words": run.words,
            "balances": run.balances_compared,
            "orders": run.orders_compared,
            "fills": run.fills_compared,
            "breaks open": run.breaks_open,
        },
    )
    log.info("%s reconciled: %s, %s", run.account, outcome, words)
