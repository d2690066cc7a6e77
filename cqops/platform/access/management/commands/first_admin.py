"""Makes the very first admin of an installation; every later one is made by an admin."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cqops.platform.access.people import NotTheFirst, make_first_admin


class Command(BaseCommand):
    help = "Make the first admin. The password is asked for, or read from a pipe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_password(password)
            made = make_first_admin(username=options["username"], password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except NotTheFirst as error:
            raise CommandError(str(error.__doc__)) from error
        self.stdout.write(f"{made.username} is the admin now, and makes everybody else.")
