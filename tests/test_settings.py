"""Wrong settings stop every process with one clear line each, before anything is done."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django_celery_beat.models import PeriodicTask

from cqops.platform.installation.models import Installation
from cqops.platform.installation.services import WrongInstallation, verify
from cqops.platform.local.processes import BEAT, WORKER

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


def url_of_the_test_database():
    found = settings.DATABASES["default"]
    where = f"{found['HOST']}:{found['PORT']}/{found['NAME']}"
    return f"postgres://{found['USER']}:{found['PASSWORD']}@{where}"


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
        ({"CREDENTIAL_KEYS": ","}, "CREDENTIAL_KEYS: holds none"),
        ({"DATABASE_URL": "postgres://127.0.0.1:9"}, "DATABASE_URL: goes on with 'nothing'"),
        ({"REDIS_URL": "unix:///run/redis.sock"}, "REDIS_URL: starts with 'unix'"),
        ({"REDIS_URL": "redis://h:1/notanumber"}, "REDIS_URL: goes on with '/notanumber'"),
        ({"ALLOWED_HOSTS": ","}, "ALLOWED_HOSTS: names nothing"),
        ({"CSRF_TRUSTED_ORIGINS": "desk.example"}, "CSRF_TRUSTED_ORIGINS: holds 'desk.example'"),
        ({"SECOND_FACTOR_ROLES": "admin,boss"}, "SECOND_FACTOR_ROLES: names 'boss'"),
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
def test_a_comma_too_many_breaks_no_key():
    keys = f"{PRODUCTION['CREDENTIAL_KEYS']}, ,"
    shown = "from django.conf import settings; print(len(settings.CREDENTIAL_KEYS))"
    ended = start(
        {"CREDENTIAL_KEYS": keys, "DJANGO_SETTINGS_MODULE": "cqops.settings"}, "-c", shown
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "1")


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
        ("manage.py", "relay"),
        ("manage.py", "migrate", "--noinput"),
        WORKER.production,
        BEAT.production,
    ],
)
@pytest.mark.django_db(transaction=True)
def test_every_process_refuses_a_database_of_another_kind(command):
    """The test database was first started as SIMULATED."""
    ended = start({"DATABASE_URL": url_of_the_test_database()}, *command)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert [line for line in ended.stderr.splitlines() if line.startswith("cqops: ")] == [
        "cqops: ENVIRONMENT: is LIVE, but this database was set up as SIMULATED; "
        "expected both to be the same."
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("-c", "import cqops.wsgi"),
        ("manage.py", "relay"),
        ("manage.py", "migrate", "--noinput"),
        WORKER.production,
        BEAT.production,
    ],
)
def test_a_database_that_is_away_is_one_line_too(command):
    ended = start({}, *command)
    assert ended.returncode == 3
    assert ended.stderr.strip().splitlines()[-1].startswith("cqops: DATABASE_URL: the database")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", [("manage.py", "migrate", "--noinput"), BEAT.production])
def test_a_refused_database_is_left_as_it_was(command):
    """A migration to come and a schedule of people are what would show the touch."""
    PeriodicTask.objects.all().delete()
    applied = MigrationRecorder.Migration.objects.filter(app="portfolio").latest("pk")
    values = {"app": applied.app, "name": applied.name}
    applied.delete()
    try:
        assert start({"DATABASE_URL": url_of_the_test_database()}, *command).returncode == 2
        assert not MigrationRecorder.Migration.objects.filter(**values).exists()
        assert not PeriodicTask.objects.exists()
    finally:
        MigrationRecorder.Migration.objects.get_or_create(**values)


def test_the_installation_is_written_once_and_then_holds(db, settings):
    assert Installation.objects.get().environment == "SIMULATED"
    settings.ENVIRONMENT = "SANDBOX"
    with pytest.raises(WrongInstallation, match="set up as SIMULATED"):
        verify()
