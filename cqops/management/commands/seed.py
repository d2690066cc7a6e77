from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cqops.demo import NotSimulated, seed, show_access


class Command(BaseCommand):
    help = "Makes the demo desk of a SIMULATED installation; running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show-access", action="store_true", help="print the sign-ins as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["show_access"]:
                self.stdout.write(json.dumps(show_access()))
            else:
                seed()
        except NotSimulated as error:
            raise CommandError(str(error)) from error
