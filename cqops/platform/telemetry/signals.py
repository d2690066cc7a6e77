"""What a task carries along, and how long it takes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from celery import states
from celery.signals import before_task_publish, task_postrun, task_prerun

from cqops.platform.telemetry.metrics import TASKS
from cqops.platform.telemetry.spans import NOTHING, Kind, Span, span
from cqops.platform.telemetry.trace import carried, resume

HEADER = "cqops_ids"
SENT_AT = "cqops_sent_at"


@dataclass(slots=True)
class Running:
    """A task between its beginning and its end, which are told apart."""

    began: float = field(default_factory=time.monotonic)
    span: Span = NOTHING
    ends: ExitStack = field(default_factory=ExitStack)


_running: dict[str, Running] = {}


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
    one = _running[task_id] = Running()
    one.span = one.ends.enter_context(span(f"task {task.name}", kind=Kind.CONSUMER))


def _end(task_id: str, task: Any = None, state: str | None = None, **_: Any) -> None:
    one = _running.pop(task_id, None)
    if one is None:
        return
    if state in states.EXCEPTION_STATES:
        one.span.fail(state)
    one.ends.close()
    TASKS.labels(task.name, (state or "unknown").lower()).observe(time.monotonic() - one.began)
