from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from cqops.platform.telemetry.heartbeats import beat
from cqops.platform.telemetry.ops import forget
from cqops.platform.telemetry.sights import watch_processes


@shared_task(name="telemetry.worker_heartbeat")
def worker_heartbeat() -> None:
    """Scheduled by beat and run by a worker, so one task proves both and the queue between them."""
    beat("worker")
    beat("beat")


@shared_task(name="telemetry.watch_processes")
def watch_processes_task() -> None:
    watch_processes(now=timezone.now())


@shared_task(name="telemetry.prune_ops_events")
def prune_ops_events() -> None:
    forget(now=timezone.now())
