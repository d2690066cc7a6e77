from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cqops.platform.installation.services import verify_or_exit
from cqops.platform.telemetry.forever import run_until_told
from venues.feeds import Feeds


class Command(BaseCommand):
    help = "Follows the books and trades of every symbol in force."

    def handle(self, *args: Any, **options: Any) -> None:
        verify_or_exit()

        async def work() -> None:
            await Feeds().run()

        run_until_told("feeds", work())
