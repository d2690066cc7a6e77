from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from assets.services.importing.work import scan_brought, sweep, work_on
from assets.services.scanning import scan


@shared_task(name="assets.scan")
def scan_task() -> None:
    scan(now=timezone.now())


@shared_task(name="assets.work_on_import")
def work_on_import(batch_id: str) -> None:
    work_on(batch_id)


@shared_task(name="assets.scan_import")
def scan_import(batch_id: str) -> None:
    scan_brought(batch_id)


@shared_task(name="assets.sweep_imports")
def sweep_imports() -> None:
    sweep()
