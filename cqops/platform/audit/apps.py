from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "cqops.platform.audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from cqops.platform.audit import receivers

        receivers.connect()
