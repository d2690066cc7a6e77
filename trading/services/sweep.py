"""The guarantee behind every doorbell: finds what was left lying and does it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from trading.models import Order
from trading.services import orders
from trading.services.cancels import send_cancel
from trading.services.submission import look_up, submit
from trading.states import AT_THE_VENUE, State
from venues.services.clients import CALL_TIMEOUT

log = logging.getLogger(__name__)
QUEUED_LONG_AFTER = timedelta(seconds=3)
SENDING_DEAD_AFTER = timedelta(seconds=CALL_TIMEOUT + 5)
CANCEL_AGAIN_AFTER = timedelta(seconds=5)
BATCH = 200


def sweep() -> None:
    """Go through everything that waits; one failure never stops the rest."""
    now = timezone.now()
    waiting = Order.objects.order_by("placed_at")
    for key in _keys(waiting.filter(state=State.QUEUED, placed_at__lt=now - QUEUED_LONG_AFTER)):
        _try(submit, key)
    for key in _keys(waiting.filter(state=State.SENDING, sent_at__lt=now - SENDING_DEAD_AFTER)):
        _try(_doubt_the_abandoned, key)
    for key in _keys(waiting.filter(state=State.IN_DOUBT, next_look_at__lte=now)):
        _try(look_up, key)
    unsent_cancel = Q(cancel_sent_at=None) | Q(cancel_sent_at__lt=now - CANCEL_AGAIN_AFTER)
    for key in _keys(
        waiting.filter(unsent_cancel, state__in=AT_THE_VENUE, is_cancel_requested=True)
    ):
        _try(send_cancel, key)


def _keys(rows: QuerySet[Order]) -> list[UUID]:
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _try(work: Callable[[UUID], None], key: UUID) -> None:
    try:
        work(key)
    except Exception:  # the next order must not wait for this one; the next sweep tries again
        log.exception("order %s: the sweep failed, it tries again", key)


@transaction.atomic
def _doubt_the_abandoned(order_id: UUID) -> None:
    """Whoever sent this one is gone: the venue has to be asked."""
    order = orders.lock(order_id)
    if order.state == State.SENDING:
        order.next_look_at = timezone.now()
        order.save(update_fields=["next_look_at"])
        reason = "The process that sent it ended before it could write down the answer."
        orders.advance(order, State.IN_DOUBT, at=timezone.now(), by="sweep", reason=reason)
