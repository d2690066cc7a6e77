from __future__ import annotations

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    name = "cqops.platform.approvals"
    verbose_name = "Approvals"
