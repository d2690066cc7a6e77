"""What a task carries along, and how long it takes."""

from __future__ import annotations

import time
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from cqops.platform.telemetry.metrics import TASKS
from cqops.platform.telemetry.trace import carried, resume

HEADER = "cqops_ids"
SENT_AT = "cqops_sent_at"
_started: dict[str, float] = {}


def connect() -> None:
    before_task_publish.connect(_pack, dispatch_uid="telemetry-packs-ids")
    task_prerun.connect(_begin, dispatch_uid="telemetry-task-begins")
    task_postrun.connect(_end, dispatch_uid="telemetry-task-ends")


def _pack(headers: dict[str, Any] | None = None, **_: Any) -> None:
    if headers is not None:
        headers[HEADER] = carried()
        headers[SENT_AT] = time.time()


def _begin(task_id: str, task: Any = None, **_: Any) -> None:
    ids = task.request.get(HEADER)
    resume(ids if isinstance(ids, dict) else None)
    _started[task_id] = time.monotonic()


def _end(task_id: str, task: Any = None, state: str | None = None, **_: Any) -> None:
    began = _started.pop(task_id, None)
    if began is not None:
        TASKS.labels(task.name, (state or "unknown").lower()).observe(time.monotonic() - began)
