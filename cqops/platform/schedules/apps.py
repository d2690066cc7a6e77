from __future__ import annotations

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    name = "cqops.platform.schedules"
