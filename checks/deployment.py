"""The production shape, as `.env.example` describes it, has to satisfy Django's own checks."""

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from checks.tools import ROOT, python, run

EXAMPLE = ROOT / ".env.example"
SYSTEM = ("PATH", "HOME", "LANG", "TMPDIR")


def check(environment: Mapping[str, str]) -> tuple[bool, str]:
    mine = {name: environment[name] for name in SYSTEM if name in environment}
    command = python("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    return run(command, {**mine, **production(EXAMPLE)})


def production(example: Path) -> dict[str, str]:
    """Fill in the example the way an operator does: secrets made up, everything else as it is."""
    values = assignments(example.read_text(encoding="utf-8"))
    made_up = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": "postgres://cqops:secret@postgres:5432/cqops",
        "REDIS_URL": "redis://:secret@redis:6379/0",
    }
    # A secret comes from its file there; every other name that ends this way is a file of its own.
    given = {k: v for k, v in values.items() if k.removesuffix("_FILE") not in made_up}
    return {**given, **made_up}


def assignments(text: str) -> dict[str, str]:
    """Read NAME=value lines; a commented-out line is documentation."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in pairs}
