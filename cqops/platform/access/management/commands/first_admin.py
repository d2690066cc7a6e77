"""Makes the first two admins of an installation; every later one is asked for on the desk."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cqops.platform.access.people import (
    ADMINS_NEEDED,
    NotTheFirst,
    active_admins,
    make_first_admin,
)


class Command(BaseCommand):
    help = "Make one of the first two admins. The password is asked for, or read from a pipe."

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
        self.stdout.write(f"{made.username} is an admin now. {_what_next()}")


def _what_next() -> str:
    if active_admins().count() < ADMINS_NEEDED:
        return "Make a second one the same way: what one of them gives, the other agrees to."
    return "Together they make everybody else."
