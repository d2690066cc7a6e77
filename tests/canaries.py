"""Twenty-five planted secrets, and ears wherever a secret could come out while the whole suite runs.

Each kind of secret is made at its source with a mark of its own inside, so that every token, key and
code the suite makes is a canary. Those that are given (the database's password) are looked for as they
are. What a log line, an answer, an error, a message to Redis or to a worker, an entry of the audit log, a
dump or a desk's log file holds of them fails the run at its end, by the canary's name and the place.
"""

from __future__ import annotations

import base64
import itertools
import logging
import os
import re
import secrets
import string
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

STEM = "qzcanary"
NAMES = (
    *("secret key", "newest credential key", "older credential key", "database password"),
    *("redis password", "venue key, PEM", "venue key, base64", "venue secret", "venue passphrase"),
    *("venue token, JWT", "API token", "foreign bearer token", "demo password", "password"),
    *("password typed wrongly", "second factor seed", "paper code", "session key", "CSRF secret"),
    *("venue signature", "data key of a credential", "salt of a password hash"),
    *("retired venue key", "password in a refused form", "token in an address"),
)
MARKS = {name: STEM + letter for name, letter in zip(NAMES, string.ascii_lowercase, strict=False)}
JWT = re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+")
# Where a secret is handed over, once, to the person it is for.
HANDED_OVER = {
    ("API token", "answer /tokens/new/"),
    ("second factor seed", "answer /second-factor/"),
    ("paper code", "answer /second-factor/"),
}
# Where a secret has to be to do its work; it opens nothing without another one.
LIVES_IN = {
    "session key": {"django_session", "access_desksession"},
    "salt of a password hash": {"access_user"},
}
REDACT = "venues.transport.redact.redact_text"


class Ears:
    """Knows what to listen for, and remembers what came out where."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self.planted: set[str] = set()
        self._given: dict[str, str] = {}

    def know(self, name: str, value: str) -> None:
        """Listen for a secret that is as it is, besides the marks."""
        if name not in MARKS:
            raise KeyError(name)
        if len(value) < len(STEM):
            message = f"{name} is too short to be told from other words"
            raise ValueError(message)
        self.planted.add(name)
        self._given[value] = name

    def know_desk(self, environment: Path, access: dict[str, Any]) -> None:
        """Listen for what is secret on a desk that runs beside the tests, too."""
        pairs = (line.partition("=") for line in environment.read_text("utf-8").splitlines())
        given = {name: value for name, _, value in pairs}
        self.know("secret key", given["SECRET_KEY"])
        self.know("newest credential key", given["CREDENTIAL_KEYS"].partition(",")[0])
        for name, variable in (("database", "DATABASE_URL"), ("redis", "REDIS_URL")):
            self.know(f"{name} password", given[variable].partition("@")[0].rpartition(":")[2])
        for user in access["users"]:
            self.know("demo password", user["password"])
        self.know("API token", access["token"])

    def in_text(self, said: object) -> set[str]:
        """Name every canary in a text."""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        found = {name for value, name in self._given.items() if value in text}
        flat = text.lower()
        if STEM in flat or "qzcan-ary" in flat or "qzca nary" in flat:
            flat = flat.replace("qzcan-ary", STEM).replace("qzca nary ", STEM)
            found |= {name for name, mark in MARKS.items() if mark in flat}
        if "eyJ" in text and JWT.search(text):
            found.add("venue token, JWT")
        return found

    def hear(self, place: str, said: object) -> None:
        for name in self.in_text(said):
            if (name, place) not in HANDED_OVER:
                test = os.environ.get("PYTEST_CURRENT_TEST", "after the last test")
                self.found.setdefault((name, place), test)


EARS = Ears()


def planted(name: str, more: str = "") -> str:
    """Return a secret of this kind, marked as one."""
    EARS.planted.add(name)
    return MARKS[name] + (more or secrets.token_hex(8))


@contextmanager
def expected() -> Iterator[dict[tuple[str, str], str]]:
    """Catch what comes out in this block: a test leaks on purpose to prove that it is heard."""
    before, EARS.found = EARS.found, {}
    try:
        yield EARS.found
    finally:
        EARS.found = before


def _key(name: str) -> bytes:
    """Make 32 bytes whose base64 begins with the mark."""
    head = planted(name, "A" * 11)
    room = 44 - len(head)
    return base64.b64decode(head + base64.b64encode(secrets.token_bytes(33)).decode()[:room])[:32]


def _fernet_key(name: str) -> bytes:
    return base64.urlsafe_b64encode(_key(name))


def _plant(patch: pytest.MonkeyPatch) -> None:
    """Put a mark into whatever the product makes secrets of."""
    _plant_settings(patch)
    _plant_venue_keys(patch)
    _plant_sign_in(patch)


def _plant_settings(patch: pytest.MonkeyPatch) -> None:
    from django.conf import settings  # noqa: PLC0415 -- settings are read only once tests start

    older = _fernet_key("older credential key").decode()
    patch.setattr(settings, "CREDENTIAL_KEYS", [*settings.CREDENTIAL_KEYS, older])
    EARS.know("secret key", settings.SECRET_KEY)
    EARS.know("newest credential key", settings.CREDENTIAL_KEYS[0])
    EARS.know("database password", str(settings.DATABASES["default"]["PASSWORD"]))
    EARS.know("redis password", settings.REDIS_URL.partition("@")[0].rpartition(":")[2])


def _plant_venue_keys(patch: pytest.MonkeyPatch) -> None:
    from cryptography.fernet import Fernet  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    from venues import credentials  # noqa: PLC0415
    from venues.simulator import demo_keys  # noqa: PLC0415
    from venues.transport.signer import CdpSigner  # noqa: PLC0415

    class Marked(Fernet):
        @classmethod
        def generate_key(cls) -> bytes:
            return _fernet_key("data key of a credential")

    def generate() -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(_key("venue key, base64"))

    real = CdpSigner._token

    def token(self: CdpSigner, uri: str | None) -> str:
        EARS.planted.add("venue token, JWT")
        return real(self, uri)

    patch.setattr(credentials, "Fernet", Marked)
    patch.setattr(demo_keys, "Ed25519PrivateKey", SimpleNamespace(generate=generate))
    patch.setattr(CdpSigner, "_token", token)


def _plant_sign_in(patch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.hashers import BasePasswordHasher  # noqa: PLC0415
    from django.contrib.sessions.backends.base import SessionBase  # noqa: PLC0415
    from django.middleware import csrf  # noqa: PLC0415

    from cqops import demo  # noqa: PLC0415
    from cqops.platform.access import second_factor, tokens  # noqa: PLC0415

    def some(name: str, length: int) -> str:
        letters = string.ascii_lowercase + string.digits
        rest = "".join(secrets.choice(letters) for _ in range(length - len(STEM) - 1))
        return planted(name, rest)

    def csrf_cookie(request: Any) -> str:
        secret = some("CSRF secret", csrf.CSRF_SECRET_LENGTH)
        request.META.update({"CSRF_COOKIE": secret, "CSRF_COOKIE_NEEDS_UPDATE": True})
        return secret

    def seed(size: int) -> bytes:
        whole = base64.b32encode(secrets.token_bytes(size)).decode()
        mark = planted("second factor seed", "a").upper()
        return base64.b32decode(mark + whole[len(mark) :])

    def password(username: str) -> str:
        return f"{planted('demo password', 'of')}-{username}"

    # Ten letters a code, asked for one by one.
    turns = itertools.count()

    def letter(alphabet: str) -> str:
        code, place = divmod(next(turns), 10)
        mark = MARKS["paper code"]
        EARS.planted.add("paper code")
        return mark[place] if place < len(mark) else alphabet[code % len(alphabet)]

    keys = SimpleNamespace(token_bytes=seed, choice=letter)
    text = SimpleNamespace(token_urlsafe=lambda _: planted("API token", secrets.token_urlsafe(24)))
    patch.setattr(second_factor, "secrets", keys)
    patch.setattr(tokens, "secrets", text)
    patch.setattr(demo, "password_of", password)
    patch.setattr(csrf, "_add_new_csrf_cookie", csrf_cookie)
    patch.setattr(SessionBase, "_get_new_session_key", lambda _: some("session key", 32))
    patch.setattr(BasePasswordHasher, "salt", lambda _: some("salt of a password hash", 22))


def _listen(patch: pytest.MonkeyPatch) -> None:
    """Put an ear wherever something leaves the product."""
    _listen_to_logs(patch)
    _listen_to_answers(patch)
    _listen_to_messages(patch)
    _listen_to_errors(patch)


def _after(patch: pytest.MonkeyPatch, owner: Any, name: str, hear: Callable[..., None]) -> None:
    """Do what is done there, and hear what came of it."""
    real = getattr(owner, name)

    @wraps(real)
    def heard(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        hear(made, *args, **kwargs)
        return made

    patch.setattr(owner, name, heard)


def _listen_to_logs(patch: pytest.MonkeyPatch) -> None:
    from cqops.platform.telemetry.logs import JsonLines, Lines  # noqa: PLC0415

    formatters = [Lines(REDACT), JsonLines(REDACT)]

    def hear(_: None, __: logging.Logger, record: logging.LogRecord) -> None:
        for formatter in formatters:
            EARS.hear(f"log {record.name}", formatter.format(record))

    _after(patch, logging.Logger, "callHandlers", hear)


def _listen_to_answers(patch: pytest.MonkeyPatch) -> None:
    from channels.testing import WebsocketCommunicator  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    def answered(answer: Any, _: Client, **asked: Any) -> None:
        place = f"answer {asked.get('PATH_INFO', '')}"
        EARS.hear(place, str(dict(answer.headers)))
        if not answer.streaming:
            EARS.hear(place, answer.content)

    # The test client of Django, and with it that of the REST framework.
    _after(patch, Client, "request", answered)
    real = WebsocketCommunicator.receive_from

    async def received(self: Any, timeout: float = 1) -> Any:  # noqa: ASYNC109 -- as it is there
        said = await real(self, timeout)
        EARS.hear("socket", said)
        return said

    patch.setattr(WebsocketCommunicator, "receive_from", received)


def _listen_to_messages(patch: pytest.MonkeyPatch) -> None:
    from celery.signals import before_task_publish  # noqa: PLC0415
    from redis.asyncio.connection import AbstractConnection as Async  # noqa: PLC0415
    from redis.connection import AbstractConnection  # noqa: PLC0415

    def sent(_: Any, __: Any, command: Any, *___: Any, **____: Any) -> None:
        chunks = [command] if isinstance(command, str | bytes) else command
        said = b"".join(c.encode() if isinstance(c, str) else bytes(c) for c in chunks)
        # Its own password is how a connection says who it is.
        if not re.match(rb"\*\d+\r\n\$\d+\r\n(AUTH|HELLO)\r\n", said, re.IGNORECASE):
            EARS.hear("redis", said)

    def published(body: Any = None, headers: Any = None, **_: Any) -> None:
        EARS.hear("task", f"{body!r} {headers!r}")

    _after(patch, AbstractConnection, "send_packed_command", sent)
    _after(patch, Async, "send_packed_command", sent)
    before_task_publish.connect(published, weak=False, dispatch_uid="canaries")


def _listen_to_errors(patch: pytest.MonkeyPatch) -> None:
    from celery.signals import task_failure  # noqa: PLC0415
    from django.db.models.signals import post_save  # noqa: PLC0415

    from cqops.platform.approvals.errors import Refused  # noqa: PLC0415
    from cqops.platform.audit.models import Entry  # noqa: PLC0415
    from venues.interface.errors import VenueError  # noqa: PLC0415

    def made(_: None, error: Exception, *__: Any, **___: Any) -> None:
        EARS.hear(f"error {type(error).__name__}", f"{error!s} {error!r}")

    def failed(einfo: Any = None, **_: Any) -> None:
        EARS.hear("error of a task", f"{einfo}")

    def written(instance: Entry, **_: Any) -> None:
        EARS.hear("audit", f"{instance.content()}")

    _after(patch, VenueError, "__init__", made)
    _after(patch, Refused, "__init__", made)
    task_failure.connect(failed, weak=False, dispatch_uid="canaries")
    post_save.connect(written, sender=Entry, weak=False, dispatch_uid="canaries")


def hear_dump() -> None:
    """Read the test database as somebody would who got hold of a dump."""
    from django.db import connection  # noqa: PLC0415

    from cqops.platform.local.wheels import postgres_programs  # noqa: PLC0415

    known = connection.settings_dict
    where = ["-h", known["HOST"], "-p", str(known["PORT"]), "-U", known["USER"]]
    program = postgres_programs() / "bin" / "pg_dump"
    dump = subprocess.run(
        [program, *where, "--no-owner", str(known["NAME"])],
        env={"PGPASSWORD": known["PASSWORD"], "PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    table = ""
    for line in dump.splitlines():
        if line.startswith("COPY "):
            table = line.split()[1].removeprefix("public.")
        for name in EARS.in_text(line):
            if table not in LIVES_IN.get(name, ()):
                EARS.hear(f"dump {table}", line)


def hear_logs(folder: Path, *, since: float = 0.0) -> None:
    """Read what the processes of a desk, and the servers of the tests, wrote down meanwhile."""
    for path in sorted(folder.rglob("logs/*.log*")):
        if path.stat().st_mtime < since:
            continue
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                EARS.hear(f"log file {path.relative_to(folder)}", line)


_patch = pytest.MonkeyPatch()
_began = time.time()


def pytest_sessionstart() -> None:
    _plant(_patch)
    _listen(_patch)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    _patch.undo()
    if "LOCAL_DIR" in os.environ:
        hear_logs(Path(os.environ["LOCAL_DIR"]), since=_began)
    if _is_whole(session.config):
        for name in sorted(set(NAMES) - EARS.planted):
            EARS.found[name, "no place at all: it was never planted"] = "the whole run"
    if EARS.found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _is_whole(config: pytest.Config) -> bool:
    """Tell whether every test was asked for: then every canary has to have been there to be heard."""
    is_chosen = config.option.keyword or config.option.markexpr
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not is_chosen


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not EARS.found:
        return
    terminalreporter.section("secrets came out", red=True)
    for (name, place), test in sorted(EARS.found.items()):
        terminalreporter.line(f"{name} in {place}, first in {test}")
