"""Lets the last admin of a desk in again, who lost the password or the second factor."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cqops.platform.access.ways_in import NoSuchAdmin, NotTheLast, recover


class Command(BaseCommand):
    help = "Recover the last admin. The new password is asked for, or read from a pipe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            validate_password(password)
            person = recover(username=options["username"], password=password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except (NoSuchAdmin, NotTheLast) as error:
            raise CommandError(str(error.__doc__)) from error
        self.stdout.write(f"{person.username} signs in with this password, and enrols anew.")
