from __future__ import annotations

from celery import shared_task

from venues.services.instruments import sync_instruments


@shared_task(name="venues.sync_instruments")
def sync_instruments_task() -> None:
    sync_instruments()
