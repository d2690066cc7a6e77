"""The guarantee behind every doorbell: finds what was left lying and does it.

One sweep runs at a time, so that a venue that hangs holds up one thread and no more; an account whose
venue does not answer is left alone until the next one, and no venue is asked for anything before the
cancels are through.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cqops.platform.alone import alone
from trading.models import Order
from trading.services import orders
from trading.services.cancels import send_cancel
from trading.services.following import working_on
from trading.services.submission import look_up, submit
from trading.states import AT_THE_VENUE, State
from venues.services.clients import CALL_TIMEOUT

log = logging.getLogger(__name__)
QUEUED_LONG_AFTER = timedelta(seconds=3)
SENDING_DEAD_AFTER = timedelta(seconds=CALL_TIMEOUT + 5)
CANCEL_AGAIN_AFTER = timedelta(seconds=5)
BATCH = 200
# Does one thing about one order, and tells whether the venue is there.
Work = Callable[[UUID], bool]


def sweep() -> None:
    """Go through everything that waits; one failure never stops the rest."""
    with alone("trading.sweep") as is_mine:
        if is_mine:
            _go_through()


def _go_through() -> None:
    now = timezone.now()
    waiting = Order.objects.order_by("placed_at")
    unsent_cancel = Q(cancel_sent_at=None) | Q(cancel_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    steps: list[tuple[Work, QuerySet[Order]]] = [
        (
            send_cancel,
            waiting.filter(unsent_cancel, state__in=AT_THE_VENUE, is_cancel_requested=True),
        ),
        (submit, waiting.filter(state=State.QUEUED, placed_at__lt=now - QUEUED_LONG_AFTER)),
        (look_up, waiting.filter(state=State.IN_DOUBT, next_look_at__lte=now)),
    ]
    abandoned = waiting.filter(state=State.SENDING, sent_at__lt=now - SENDING_DEAD_AFTER)
    _each(_doubt_the_abandoned, abandoned, set())
    silent: set[UUID] = set()
    for work, rows in steps:
        _each(work, rows, silent)


def _each(work: Work, rows: QuerySet[Order], silent: set[UUID]) -> None:
    """Work off one account after the other, as far as its venue answers."""
    accounts = set(rows.order_by().values_list("account_id", flat=True).distinct())
    for account in accounts - silent:
        for key in list(rows.filter(account=account).values_list("pk", flat=True)[:BATCH]):
            if not _try(work, key):
                log.warning("account %s does not answer, the next sweep tries again", account)
                silent.add(account)
                break


def _try(work: Work, key: UUID) -> bool:
    try:
        return work(key)
    except Exception:  # the next order must not wait for this one; the next sweep tries again
        log.exception("order %s: the sweep failed, it tries again", key)
        return True


@transaction.atomic
def _doubt_the_abandoned(order_id: UUID) -> bool:
    """Whoever sent this one is gone: the venue has to be asked."""
    order = orders.lock(order_id)
    if order.state == State.SENDING:
        order.next_look_at = timezone.now()
        order.save(update_fields=["next_look_at"])
        reason = "The process that sent it ended before it could write down the answer."
        with working_on(order):
            orders.advance(order, State.IN_DOUBT, at=timezone.now(), by="sweep", reason=reason)
    return True
