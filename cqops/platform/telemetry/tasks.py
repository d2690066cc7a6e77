from __future__ import annotations

from celery import shared_task

from cqops.platform.telemetry.heartbeats import beat


@shared_task(name="telemetry.worker_heartbeat")
def worker_heartbeat() -> None:
    """Scheduled by beat and run by a worker, so one task proves both and the queue between them."""
    beat("worker")
    beat("beat")
