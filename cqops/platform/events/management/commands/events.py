from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from cqops.platform.audit.services import record
from cqops.platform.events.relay import redrive
from cqops.platform.events.schemas import documented
from cqops.platform.events.status import lag


class Command(BaseCommand):
    help = "Looks after the outbox: its lag, dead letters tried again, the page about its events."

    def add_arguments(self, parser: CommandParser) -> None:
        words = "lag; redrive dead letters; or docs, which writes docs/events.md to stdout"
        parser.add_argument("what", choices=["lag", "redrive", "docs"], help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['what']}")()

    def _lag(self) -> None:
        self.stdout.write(lag()[1])

    @transaction.atomic
    def _redrive(self) -> None:
        count = redrive()
        if count:
            record(action="events.redriven", subject_kind="events.event", after={"events": count})
        self.stdout.write(f"{count} dead letters are tried again.")

    def _docs(self) -> None:
        self.stdout.write(documented(), ending="")
