from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from venues.services.resealing import reseal

INCOMPLETE = 1


class Command(BaseCommand):
    help = "Wraps every venue key anew under the newest of CREDENTIAL_KEYS, while the desk runs."

    def handle(self, *args: Any, **options: Any) -> None:
        done = reseal()
        self.stdout.write(
            f"{done.wrapped} wrapped under the newest key, {done.empty} without a secret."
        )
        if not done.cannot_open:
            self.stdout.write(
                "Older keys may leave CREDENTIAL_KEYS once every process knows the new one."
            )
            return
        for key in done.cannot_open:
            self.stdout.write(f"Cannot be opened with the present CREDENTIAL_KEYS: {key}")
        raise SystemExit(INCOMPLETE)
