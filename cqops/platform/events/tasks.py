from __future__ import annotations

from celery import shared_task

from cqops.platform.events.relay import prune


@shared_task(name="events.prune")
def prune_published() -> None:
    prune()
