"""Tasks enter their own context: what a worker changes is a task's doing and nobody's request."""

from __future__ import annotations

from typing import Any

from celery.signals import task_postrun, task_prerun

from cqops.platform.audit.context import Context, Door, enter, leave


def connect() -> None:
    task_prerun.connect(_begin, dispatch_uid="audit-task-begins")
    task_postrun.connect(_end, dispatch_uid="audit-task-ends")


def _begin(task: Any = None, **_: Any) -> None:
    enter(Context(door=Door.TASK, origin=task.name))


def _end(**_: Any) -> None:
    leave()
