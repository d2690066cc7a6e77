"""How a schedule that people may change is changed; those of the settings stay as they are."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.audit.services import record

FROM_SETTINGS = "The desk needs it to run; it stands in the settings and cannot be changed here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When to run, in the words of a crontab, in UTC."""

    minute: str
    hour: str
    day_of_week: str = "*"

    def as_words(self) -> str:
        return f"{self.minute} {self.hour} * * {self.day_of_week} UTC"


def is_changeable(task: PeriodicTask) -> bool:
    """Tell whether people may change this one: a crontab that the settings do not own."""
    return task.crontab_id is not None and task.description != FROM_SETTINGS


@transaction.atomic
def change_schedule(*, task_id: int, times: Times, enabled: bool, by: User) -> PeriodicTask:
    """Give a schedule other times, or switch it on or off; beat takes it up within seconds."""
    task = PeriodicTask.objects.select_for_update().get(pk=task_id)
    if not is_changeable(task) or not may(by, Action.SCHEDULE_EDIT):
        raise PermissionDenied(FROM_SETTINGS)
    crontab = CrontabSchedule(
        minute=times.minute,
        hour=times.hour,
        day_of_week=times.day_of_week,
        timezone=ZoneInfo("UTC"),
    )
    crontab.full_clean()
    found, _ = CrontabSchedule.objects.get_or_create(
        minute=times.minute,
        hour=times.hour,
        day_of_week=times.day_of_week,
        day_of_month="*",
        month_of_year="*",
        timezone=ZoneInfo("UTC"),
    )
    before = {"times": times_of(task).as_words(), "enabled": task.enabled}
    task.crontab = found
    task.enabled = enabled
    task.save()
    record(
        action="schedule.changed",
        subject=task,
        before=before,
        after={"times": times.as_words(), "enabled": enabled},
        by=by,
    )
    return task


def times_of(task: PeriodicTask) -> Times:
    return Times(
        minute=task.crontab.minute, hour=task.crontab.hour, day_of_week=task.crontab.day_of_week
    )
