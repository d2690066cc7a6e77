from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from venues.services.archiving import keep_days
from venues.services.health import check_health
from venues.services.instruments import sync_instruments
from venues.services.windows import give_up


@shared_task(name="venues.sync_instruments")
def sync_instruments_task() -> None:
    sync_instruments(now=timezone.now())


@shared_task(name="venues.check_health")
def check_health_task() -> None:
    check_health(now=timezone.now())


@shared_task(name="venues.keep_archive_days")
def keep_archive_days() -> None:
    keep_days(now=timezone.now())


@shared_task(name="venues.give_up_windows")
def give_up_windows() -> None:
    give_up(now=timezone.now())
