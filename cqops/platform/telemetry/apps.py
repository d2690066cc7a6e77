from __future__ import annotations

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "cqops.platform.telemetry"

    def ready(self) -> None:
        from cqops.platform.telemetry import signals

        signals.connect()
