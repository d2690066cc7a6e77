"""Makes the Celery application the one that tasks are sent through."""

from __future__ import annotations

from django.apps import AppConfig


class CqopsConfig(AppConfig):
    name = "cqops"

    def ready(self) -> None:
        import cqops.celery  # noqa: F401 -- shared tasks bind to the application at import
