from __future__ import annotations

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "cqops.platform.events"
    verbose_name = "Events"
