from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class InstallationConfig(AppConfig):
    name = "cqops.platform.installation"

    def ready(self) -> None:
        from cqops.platform.installation.services import write_on_first_start

        post_migrate.connect(write_on_first_start, sender=self)
