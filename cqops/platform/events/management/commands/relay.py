from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cqops.platform.events.process import RelayProcess
from cqops.platform.installation.services import verify_or_exit
from cqops.platform.telemetry.forever import run_until_told


class Command(BaseCommand):
    help = "Publishes the outbox and seals the audit log, as soon as there is something to do."

    def handle(self, *args: Any, **options: Any) -> None:
        verify_or_exit()

        async def work() -> None:
            await RelayProcess().run()

        run_until_told("relay", work())
