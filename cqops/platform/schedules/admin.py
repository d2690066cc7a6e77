"""The schedules people may change, and beside them, to be seen only, those the desk needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_beat.validators import day_of_week_validator, hour_validator, minute_validator
from unfold.widgets import UnfoldAdminTextInputWidget

from cqops.platform.access.admin_doors import Kept
from cqops.platform.access.policy import Action, may
from cqops.platform.schedules.services import Times, change_schedule, is_changeable, times_of

for _model in (PeriodicTask, CrontabSchedule, IntervalSchedule, SolarSchedule, ClockedSchedule):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class ScheduleForm(forms.ModelForm[PeriodicTask]):
    """When it runs, in the words of a crontab."""

    minute = forms.CharField(
        max_length=240, validators=[minute_validator], widget=UnfoldAdminTextInputWidget
    )
    hour = forms.CharField(
        max_length=96,
        validators=[hour_validator],
        widget=UnfoldAdminTextInputWidget,
        help_text="In UTC. Several are written 2,14 and every second one */2.",
    )
    day_of_week = forms.CharField(
        max_length=64,
        validators=[day_of_week_validator],
        widget=UnfoldAdminTextInputWidget,
        help_text="* is every day; mon-fri the working days.",
    )

    class Meta:
        model = PeriodicTask
        fields = ["enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "minute" in self.fields and self.instance.crontab_id:
            times = times_of(self.instance)
            self.initial.update(asdict(times))


@admin.register(PeriodicTask)
class ScheduleAdmin(Kept):
    form = ScheduleForm
    list_display = ["name", "times", "enabled", "last_run_at", "total_run_count"]
    list_filter = ["enabled"]
    ordering = ["name"]
    search_fields = ["name", "task"]
    readonly_fields = ["name", "task", "times", "description", "last_run_at", "total_run_count"]

    @admin.display(description="runs")
    def times(self, task: PeriodicTask) -> str:
        if task.crontab_id:
            return times_of(task).as_words()
        return str(task.schedule_str) if hasattr(task, "schedule_str") else str(task.interval)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        kept = ["name", "task", "description", "enabled"]
        changes = obj is not None and self.has_change_permission(request, obj)
        kept += ["minute", "hour", "day_of_week"] if changes else ["times"]
        return [*kept, "last_run_at", "total_run_count"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.SCHEDULE_VIEW)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Action.SCHEDULE_EDIT) and (obj is None or is_changeable(obj))

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: Any) -> None:
        wanted = form.cleaned_data
        change_schedule(
            task_id=obj.pk,
            times=Times(
                minute=wanted["minute"], hour=wanted["hour"], day_of_week=wanted["day_of_week"]
            ),
            enabled=wanted["enabled"],
            by=request.user,  # type: ignore[arg-type]
        )
