from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cqops.platform.installation.services import verify_or_exit
from cqops.platform.telemetry.forever import run_until_told
from trading.reports import Reports


class Command(BaseCommand):
    help = "Follows the private streams of every account and books executions."

    def handle(self, *args: Any, **options: Any) -> None:
        verify_or_exit()

        async def work() -> None:
            await Reports().run()

        run_until_told("reports", work())
