"""The Celery application, how it runs, and what it runs when."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cqops.settings")


def every(seconds: float, task: str) -> dict[str, Any]:
    """Schedule a task; a run that is late by a whole period is not worth catching up."""
    return {"task": task, "schedule": seconds, "options": {"expires": int(seconds)}}


CONFIGURATION: dict[str, Any] = {
    "broker_url": settings.REDIS_URL,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    # A doorbell must never hold up the request that rings it.
    "broker_transport_options": {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 1,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "retry_on_timeout": True,
    },
    "redis_socket_connect_timeout": 1,
    "task_publish_retry": False,
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "timezone": "UTC",
    "result_expires": None,
    "beat_scheduler": "cqops.platform.schedules.scheduler:DeskScheduler",
    # What has to run always. Beat writes it into the database at its start, beside the schedules
    # that people may change in the admin.
    "beat_schedule": {
        "orders-sweep": every(5.0, "trading.sweep_orders"),
        "imports-sweep": every(10.0, "assets.sweep_imports"),
        "positions-absorb": every(10.0, "portfolio.absorb_executions"),
        "instruments-sync": every(600.0, "venues.sync_instruments"),
        "venues-health": every(30.0, "venues.check_health"),
        "archive-days": every(3600.0, "venues.keep_archive_days"),
        "archive-windows": every(60.0, "venues.give_up_windows"),
        "events-prune": every(3600.0, "events.prune"),
        "reconciliations-sweep": every(10.0, "portfolio.sweep_reconciliations"),
        "audit-anchor": every(60.0, "audit.anchor"),
        "audit-verify": every(3600.0, "audit.verify"),
        "approvals-sweep": every(5.0, "approvals.sweep"),
        "worker-heartbeat": every(3.0, "telemetry.worker_heartbeat"),
        "processes-watch": every(5.0, "telemetry.watch_processes"),
        "ops-events-prune": every(3600.0, "telemetry.prune_ops_events"),
    },
}
if settings.DEMO_STRATEGY:
    CONFIGURATION["beat_schedule"]["demo-strategy"] = every(12.0, "cqops.demo_strategy")

app = Celery("cqops")
app.conf.update(CONFIGURATION)
app.autodiscover_tasks()
app.autodiscover_tasks(
    [f"cqops.platform.{name}" for name in ("telemetry", "audit", "events", "approvals")]
    + ["cqops"],
    related_name="tasks",
)


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Leave logging as Django configured it."""


@worker_init.connect
def _refuse_a_foreign_database(**_: Any) -> None:
    # Beat asks in its scheduler. Models may be imported only once the worker has set up Django.
    from cqops.platform.installation.services import verify_or_exit  # noqa: PLC0415

    verify_or_exit()


@worker_init.connect
def _begin_worker(**_: Any) -> None:
    _begin("worker")


@beat_init.connect
def _begin_beat(**_: Any) -> None:
    _begin("beat")


def _begin(process: str) -> None:
    # As above.
    from cqops.platform.telemetry.metrics import serve  # noqa: PLC0415
    from cqops.platform.telemetry.ops import started  # noqa: PLC0415
    from cqops.platform.telemetry.spans import name_process  # noqa: PLC0415

    serve(process)
    name_process(process)
    started(process)
