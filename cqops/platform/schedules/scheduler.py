"""Beat's schedule: what has to run always stands in the settings, the rest in the database.

Entries of the settings are written into the database whenever beat starts, so they cannot be lost or
slowed down there for longer than that; one that left the settings leaves the database too.
"""

from __future__ import annotations

import logging
from typing import Any

from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from cqops.platform.installation.services import end_unless_of_this_kind
from cqops.platform.schedules.services import FROM_SETTINGS

log = logging.getLogger(__name__)


class DeskScheduler(DatabaseScheduler):  # type: ignore[misc]
    def setup_schedule(self) -> None:
        # Beat announces its start only after this, and this writes.
        end_unless_of_this_kind()
        wanted = self.app.conf.beat_schedule
        left = PeriodicTask.objects.filter(description=FROM_SETTINGS).exclude(name__in=wanted)
        for task in left:
            log.info("schedule %s left the settings, it is removed", task.name)
            task.delete()
        super().setup_schedule()

    def update_from_dict(self, mapping: dict[str, dict[str, Any]]) -> None:
        super().update_from_dict({name: _as_row(entry) for name, entry in mapping.items()})


def _as_row(entry: dict[str, Any]) -> dict[str, Any]:
    """Mark an entry of the settings as one; the database calls the expiry by another name."""
    options = dict(entry.get("options", {}))
    if "expires" in options:
        options["expire_seconds"] = int(options.pop("expires"))
    return {**entry, "options": options, "description": FROM_SETTINGS, "enabled": True}
