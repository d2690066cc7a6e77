"""`migrate`, after a look at what the database is: one of another kind is refused as it was found."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as Migrate

from cqops.platform.installation.services import verify_before_migrating


class Command(Migrate):
    def execute(self, *args: Any, **options: Any) -> Any:
        verify_before_migrating()  # before the system checks, which ask the database too
        return super().execute(*args, **options)
