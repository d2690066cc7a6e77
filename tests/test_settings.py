"""Wrong settings stop every process with one clear line each, before anything is done."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from cqops.platform.installation.models import Installation
from cqops.platform.installation.services import WrongInstallation, verify

PRODUCTION = {
    "ENVIRONMENT": "LIVE",
    "SECRET_KEY": "a-long-enough-secret-key-for-the-production-shape-0123456789",
    "CREDENTIAL_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "postgres://desk:word@127.0.0.1:9/desk",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "ALLOWED_HOSTS": "desk.example",
    "AUDIT_ANCHOR_FILE": "/anchors/audit.jsonl",
}


def start(changes, *command):
    environment = {**PRODUCTION, "PATH": os.environ["PATH"], **changes}
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(
        [sys.executable, *(command or ("manage.py", "check"))],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL: starts with"),
        ({"SECRET_KEY": None}, "SECRET_KEY: is missing"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: has 5 characters"),
        ({"CREDENTIAL_KEYS": "not-a-key"}, "CREDENTIAL_KEYS: holds a key that is not one"),
        ({"SESSION_HOURS": "many"}, "SESSION_HOURS: is 'many'"),
        ({"ENVIRONMENT": "TEST"}, "ENVIRONMENT: is 'TEST'"),
        ({"ALLOWED_HOSTS": None}, "ALLOWED_HOSTS: is missing"),
        ({"AUDIT_ANCHOR_FILE": None}, "AUDIT_ANCHOR_FILE: is missing"),
        ({"LIVE_VENUES": "coinbase-advanced"}, "LIVE_VENUES: names 'coinbase-advanced'"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: allows every host"),
        ({"LOCAL": "true"}, "LOCAL: is true while ENVIRONMENT is LIVE"),
    ],
)
def test_a_process_refuses_wrong_settings_with_one_line_each(changes, line):
    ended = start(changes)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"cqops: {line}")


@pytest.mark.slow
def test_the_production_shape_passes_the_deployment_checks():
    ended = start({}, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import cqops.asgi"),
        ("-c", "import cqops.wsgi"),
        ("manage.py", "feeds"),
        ("manage.py", "reports"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_every_process_refuses_a_database_of_another_kind(command):
    """The test database was first started as SIMULATED."""
    database = settings.DATABASES["default"]
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}"
        f"@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    ended = start({"DATABASE_URL": url}, *command)
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        "cqops: ENVIRONMENT: is LIVE, but this database was set up as SIMULATED; "
        "expected both to be the same."
    ]


@pytest.mark.slow
def test_a_database_that_is_away_is_one_line_too():
    ended = start({}, "-c", "import cqops.wsgi")
    assert ended.returncode == 3
    assert ended.stderr.strip().splitlines()[-1].startswith("cqops: DATABASE_URL: the database")


def test_the_installation_is_written_once_and_then_holds(db, settings):
    assert Installation.objects.get().environment == "SIMULATED"
    settings.ENVIRONMENT = "SANDBOX"
    with pytest.raises(WrongInstallation, match="set up as SIMULATED"):
        verify()
