from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from assets.services.scanning import scan


@shared_task(name="assets.scan")
def scan_task() -> None:
    scan(now=timezone.now())
