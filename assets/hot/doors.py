"""The two hottest reads, answered before Django: an asset by its id, and what a ticker means now.

Only what would be answered with 200 is answered here, to a program with a good token. Everything else
goes on to Django, which refuses, writes the refusal down, or asks the database: a session, other questions,
an unknown id, a role that does not reach. Headers are Django's own: the first answer by each way in (host
and scheme) comes from it, and what stands above that one stands above those that follow. So a host that
is not ours, or plain http where https is asked for, never has an answer to learn from.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from assets.hot.answers import Answer, asset_answer, moments, symbol_answer
from assets.hot.kinds import Kind
from cqops.platform.access.known_tokens import KnownTokens
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.tokens import bearer
from cqops.platform.telemetry.logs import request_id
from cqops.platform.telemetry.middleware import answered
from cqops.platform.telemetry.spans import Kind as SpanKind
from cqops.platform.telemetry.spans import span
from cqops.platform.telemetry.trace import at, begun, request_of

Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_ASSET = re.compile(r"/api/v1/assets/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_RESOLVE = "/api/v1/resolve"
ASSET_ROUTE, RESOLVE_ROUTE = "api/v1/assets/<uuid:asset_id>", "api/v1/resolve"
_TICKER = re.compile(r"[A-Za-z0-9._-]{1,32}")
_CHAIN = re.compile(r"[a-z0-9-]{1,40}")
_JSON = {b"", b"*/*", b"application/json"}
# What only Django can make something of.
_FURTHER = {b"cookie", b"content-length", b"transfer-encoding", b"x-http-method-override"}
# Headers of one answer, and not of all that come the same way.
_OWN = {b"content-length", b"x-request-id", b"etag", b"date", b"server"}
_OK = 200
WAYS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A read that may be answered here."""

    kind: Kind[Answer]
    key: Any
    route: str
    headers: dict[bytes, bytes] = field(repr=False)
    way: tuple[Any, ...] = ()

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")


def question_of(scope: Any) -> Question | None:
    """Read what is asked, where it is one of ours and nothing about it is unusual."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("root_path"):
        return None
    path = scope["path"]
    found = _ASSET.fullmatch(path)
    if found is None and path != _RESOLVE:
        return None
    headers = dict(scope["headers"])
    is_plain = len(headers) == len(scope["headers"]) and not _FURTHER & headers.keys()
    if not is_plain or headers.get(b"accept", b"") not in _JSON:
        return None
    asked = scope["query_string"]
    key = _ticker_of(asked) if found is None else (found[1] if not asked else None)
    if key is None:
        return None
    kind, route = (symbol_answer, RESOLVE_ROUTE) if found is None else (asset_answer, ASSET_ROUTE)
    way = (route, scope.get("scheme"), headers.get(b"host"), headers.get(b"x-forwarded-proto"))
    return Question(kind, key, route, headers, way)


def _ticker_of(query: bytes) -> tuple[str, str] | None:
    """Read a ticker and a chain written in plain letters; nothing else is asked here."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    given = dict(pairs)
    symbol, chain = given.pop("symbol", ""), given.pop("chain", None)
    is_ours = not given and len(pairs) == (1 if chain is None else 2)
    if not is_ours or not _TICKER.fullmatch(symbol):
        return None
    if chain is not None and not _CHAIN.fullmatch(chain):
        return None
    return symbol, chain or ""


class HotReads:
    """Stands before Django."""

    def __init__(self, django: Application, *, tokens: KnownTokens | None = None) -> None:
        self._django = django
        self._tokens = tokens or KnownTokens()
        self._headers: dict[tuple[Any, ...], Headers] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        asked = question_of(scope)
        if asked is None:
            await self._django(scope, receive, send)
            return
        started = time.monotonic()
        headers = self._headers.get(asked.way)
        if headers is None:
            await self._django(scope, receive, self._learning(asked, send))
            return
        person = await self._person(asked)
        answer = await self._look_up(asked) if person is not None else None
        if person is None or answer is None:
            await self._django(scope, receive, send)
            return
        await _send(asked, answer, headers, person, started, send)

    def _learning(self, asked: Question, send: Send) -> Send:
        """Pass an answer of Django's on, and remember what stands above it."""

        async def learn(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == _OK:
                known = [one for one in message["headers"] if one[0].lower() not in _OWN]
                # A cookie is for one caller alone: such an answer teaches nothing.
                is_for_all = all(one[0].lower() != b"set-cookie" for one in known)
                if is_for_all and len(self._headers) < WAYS:
                    self._headers[asked.way] = known
            await send(message)

        return learn

    async def _person(self, asked: Question) -> User | None:
        token = bearer(asked.headers.get(b"authorization", b""))
        try:
            person = await self._tokens.owner(token) if token else None
        except DatabaseError:
            return None
        return person if person is not None and may(person, Action.REGISTRY_VIEW) else None

    async def _look_up(self, asked: Question) -> Answer | None:
        held = asked.kind.held(asked.key)
        if held is not None:
            return held
        try:
            further = database_sync_to_async(asked.kind.get, thread_sensitive=False)
            found: Answer | None = await further(asked.key)
        except DatabaseError:
            return None
        return found


async def _send(
    asked: Question, answer: Answer, headers: Headers, person: User, started: float, send: Send
) -> None:
    number = request_of(asked.header(b"x-request-id"))
    token = request_id.set(number)
    try:
        with at(begun(asked.header(b"traceparent"))), span("GET", kind=SpanKind.SERVER) as opened:
            body, own = answer.body, [(b"x-request-id", number.encode())]
            if answer.version:
                own.append((b"etag", b'"%d"' % answer.version))
            else:
                body += moments(timezone.now())
            own.append((b"content-length", str(len(body)).encode()))
            answered(
                opened,
                method="GET",
                route=asked.route,
                path="",
                status=_OK,
                started=started,
                caller=person.username,
            )
        await send({"type": "http.response.start", "status": _OK, "headers": headers + own})
        await send({"type": "http.response.body", "body": body})
    finally:
        request_id.reset(token)
