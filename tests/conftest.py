"""Rules every test keeps: nothing past localhost, five seconds, and a browser only where marked."""

import ipaddress
import os
import socket

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from assets.hot import lookups
from cqops.platform.local import browser
from cqops.platform.telemetry import heartbeats, ops
from venues.services import archiving, backstage, drifting, readings

pytest_plugins = ["pytester", "tests.canaries", "tests.browsing", "tests.loops"]

LOCAL_HOSTS = ["127.0.0.1", "::1", "localhost"]
# Names a test may resolve: its own machine, and Django's test host, which is never connected to.
LOCAL_NAMES = {*LOCAL_HOSTS, "", "testserver"}
SLOW_SECONDS = 120
BROWSER_SECONDS = 60


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest-socket, before it reads its options, what may be connected to."""
    config.option.allow_hosts = ",".join(LOCAL_HOSTS)
    config.option.allow_unix_socket = True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give marked tests the time they are marked for, and leave browsers out when asked to."""
    left_out = os.environ.get("SKIP_BROWSER", "") not in {"", "0", "false"}
    for item in items:
        if item.get_closest_marker("timeout"):
            continue
        if item.get_closest_marker("browser"):
            # starting the desk is a fixture with a limit of its own
            item.add_marker(pytest.mark.timeout(BROWSER_SECONDS, func_only=True))
            if left_out:
                item.add_marker(pytest.mark.skip(reason="SKIP_BROWSER is set"))
        elif item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


def _is_local(name: object) -> bool:
    text = name.decode() if isinstance(name, bytes) else name
    if text is None or text in LOCAL_NAMES:
        return True
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _no_names_beyond_this_machine():
    """Refuse to ask a name server: a connection that is blocked must not be looked up either."""
    real = socket.getaddrinfo

    def guarded(host, *args, **kwargs):
        if not _is_local(host):
            message = f"A test tried to look up {host!r}; tests stay on this machine."
            raise RuntimeError(message)
        return real(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def _history_may_be_flushed_between_tests():
    """Give the flush of the test database, and nothing else, the allowance append-only tables know."""
    real = DatabaseOperations.sql_flush

    def allowed(self, *args, **kwargs):
        words = real(self, *args, **kwargs)
        return ["SET LOCAL cqops.test_flush = 'on'", *words] if words else words

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", allowed)
        yield


@pytest.fixture(autouse=True)
def _anchors_of_this_test_alone(settings, tmp_path):
    settings.AUDIT_ANCHOR_FILE = tmp_path / "anchors.jsonl"


@pytest.fixture(scope="session", autouse=True)
def _no_thread_writes_behind_a_test():
    """Let ops events and heartbeats wait until a test asks for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.Journal, "start", lambda journal: None)
        patch.setattr(ops, "started", lambda process: None)
        patch.setattr(heartbeats, "keep_beating", lambda *processes: None)
        patch.setattr(backstage.Backstage, "start", lambda made: None)
        patch.setattr(lookups, "start", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _evidence_of_this_test_alone(settings, tmp_path):
    """Forget what calls and streams of other tests left in memory."""
    settings.RAW_SPOOL_DIR = str(tmp_path / "spool")
    for made in (archiving.archive, drifting.drift, readings.readings):
        made.cache_clear()


@pytest.fixture(autouse=True)
def journal(monkeypatch):
    """Take the ops events of this test alone; `flush` writes them."""
    made = ops.Journal()
    monkeypatch.setattr(ops, "journal", made)
    return made


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Part the stragglers from the test database before it is dropped.

    Threads and loops that tests started may still hold a pooled connection when the last test is
    over; PostgreSQL drops no database that somebody is connected to.
    """
    from tests import canaries  # noqa: PLC0415 -- pytest has to see it first, as a plugin

    yield
    with django_db_blocker.unblock():
        canaries.hear_dump()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                # A vacuum that is at work there is the server's own, and ends by itself.
                " AND backend_type = 'client backend'"
            )
        connection.close_pool()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser that tests drive; failing here names the ways to get one."""
    found = browser.find(os.environ)
    if found is None:
        pytest.fail(browser.MISSING, pytrace=False)
    return found
