"""One HTTP call to a venue: admitted, signed, sent, and answered in the words of the error tree.

What we believe after a failure is in `venues.transport.answers`. The order of things before a call
leaves: the breaker may refuse it, the budget may make it wait, the send gate (for venues that count
nonces) lets it out alone, and only then is it built and signed, so that neither its nonce nor its
timestamp is older than its place in the line. A retry is a new request and goes the same way.

A cancelled task raises `CancelledError` unchanged; whoever cancels a send must treat the order as
unknown, exactly as after a kill.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, VenueError
from venues.transport.admission import Admission
from venues.transport.answers import (
    Refusal,
    no_answer,
    refused,
    refused_within,
    throttled,
    unknown,
)
from venues.transport.breaker import Breaker, View
from venues.transport.budget import Draw, MemoryBudget
from venues.transport.call import Body, Call, delay_before_next
from venues.transport.departure import Departure
from venues.transport.gate import Hold, Nonces, Passage, SendGate
from venues.transport.operation import UNNAMED, Operation, Safety
from venues.transport.report import Exchange, Finished
from venues.transport.rules import VenueRules
from venues.transport.seams import Guards, Patience, Seams
from venues.transport.witness import Witness

__all__ = [
    "LOOPBACK",
    "Exchange",
    "Finished",
    "Guards",
    "HttpTransport",
    "Patience",
    "Refusal",
    "Safety",
    "Seams",
]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


class HttpTransport:
    """A pooled connection to one venue for one key."""

    def __init__(  # noqa: PLR0913 -- each is a decision of its own of the adapter
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None,
        read_refusal: Callable[[int, bytes], Refusal],
        on_unauthorized: Callable[[], Awaitable[None]] | None = None,
        patience: Patience | None = None,
        seams: Seams | None = None,
        rules: VenueRules | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._read_refusal = read_refusal
        self._on_unauthorized = on_unauthorized
        self._patience = patience or Patience()
        self._seams = seams or Seams()
        self._rules = rules or self._seams.guards.rules or VenueRules()
        self._equip(self._seams.guards)
        self._client = httpx.AsyncClient(
            transport=self._seams.wire,
            timeout=httpx.Timeout(
                self._patience.read_seconds,
                connect=self._patience.connect_seconds,
                pool=self._patience.pool_seconds,
            ),
            limits=httpx.Limits(max_connections=self._patience.max_connections),
            # Offered inside TLS only; a venue that does not take it up is spoken to in HTTP/1.1.
            http2=self._base_url.startswith("https:"),
            follow_redirects=False,
            trust_env=urlsplit(base_url).hostname not in LOOPBACK,
        )

    def _equip(self, guards: Guards) -> None:
        seams = self._seams
        self._breaker = guards.breaker or Breaker(stopwatch=seams.stopwatch)
        unit = self._rules.nonces
        self._gate = (
            guards.gate(unit)
            if guards.gate
            else SendGate(Nonces(unit.clock(time.time_ns)), sleep=seams.sleep)
        )
        self._witness = Witness(seams)
        self._admission = Admission(
            self._rules,
            guards.store or MemoryBudget(seams.stopwatch),
            sleep=seams.sleep,
            dice=seams.dice,
            wall=seams.wall,
        )

    @property
    def breaker(self) -> View:
        return self._breaker.view()

    @property
    def budget_left(self) -> Mapping[str, float]:
        return self._admission.left

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        is_signed: bool = True,
        operation: Operation | None = None,
    ) -> bytes:
        """Read something; temporary failures are tried again within bounds."""
        content, _ = await self.get_page(
            path, params=params, headers=headers, is_signed=is_signed, operation=operation
        )
        return content

    async def get_page(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        is_signed: bool = True,
        operation: Operation | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        """Read something whose headers say how to go on."""
        response = await self._send(
            Call(
                method="GET",
                path=path,
                params=tuple(params),
                headers=tuple((headers or {}).items()),
                operation=operation or UNNAMED[Safety.READ],
                safety=Safety.READ,
                is_signed=is_signed,
            )
        )
        return response.content, response.headers

    async def post(
        self,
        path: str,
        body: Body,
        *,
        safety: Safety,
        operation: Operation | None = None,
        content_type: str = JSON,
        is_signed: bool = True,
    ) -> bytes:
        """Send these exact bytes, or those made for the nonce of the moment."""
        response = await self._send(
            Call(
                method="POST",
                path=path,
                headers=(("Content-Type", content_type),),
                body=body,
                operation=operation or UNNAMED[safety],
                safety=safety,
                is_signed=is_signed,
            )
        )
        return response.content

    async def put(
        self,
        path: str,
        body: Body,
        *,
        safety: Safety,
        operation: Operation | None = None,
        content_type: str = JSON,
    ) -> bytes:
        """Change something in place, with these exact bytes."""
        response = await self._send(
            Call(
                method="PUT",
                path=path,
                headers=(("Content-Type", content_type),),
                body=body,
                operation=operation or UNNAMED[safety],
                safety=safety,
                is_signed=True,
            )
        )
        return response.content

    async def delete(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        safety: Safety = Safety.REPEATABLE,
        operation: Operation | None = None,
    ) -> bytes:
        """Take something back, such as an order."""
        response = await self._send(
            Call(
                method="DELETE",
                path=path,
                params=tuple(params),
                operation=operation or UNNAMED[safety],
                safety=safety,
                is_signed=True,
            )
        )
        return response.content

    async def _send(self, call: Call) -> httpx.Response:
        began = self._seams.stopwatch()
        attempts = 0
        failure: BaseException | None = None

        def count() -> None:
            nonlocal attempts
            attempts += 1

        try:
            return await self._until_answered(call, count)
        except BaseException as error:
            failure = error
            raise
        finally:
            self._witness.finished(
                call,
                failure=failure,
                seconds=self._seams.stopwatch() - began,
                attempts=attempts,
                budget_left=self._admission.left,
                breaker=self._breaker.view().state.value,
            )

    async def _until_answered(self, call: Call, count: Callable[[], None]) -> httpx.Response:
        is_doubtful = False
        attempt = 1
        while True:
            try:
                with self._breaker.passage(call.operation.priority):
                    draws = await self._admission.pay(call.operation, is_signed=call.is_signed)
                    count()
                    return await self._attempt(call, draws)
            except VenueError as error:
                is_doubtful = is_doubtful or isinstance(error, OutcomeUnknown)
                delay = delay_before_next(
                    error,
                    attempt,
                    safety=call.safety,
                    patience=self._patience,
                    dice=self._seams.dice(),
                )
                if delay is not None:
                    if delay > 0:
                        await self._seams.sleep(delay)
                    if error.cause is Cause.AUTH and call.is_signed and self._on_unauthorized:
                        await self._on_unauthorized()
                    attempt += 1
                    continue
                if is_doubtful and not isinstance(error, OutcomeUnknown):
                    message = f"an earlier attempt may have arrived; then: {error}"
                    raise unknown(message) from error
                raise

    async def _attempt(self, call: Call, draws: Sequence[Draw]) -> httpx.Response:
        async with self._alone(call) as passage:
            departure = Departure(
                passage.release if passage and self._rules.hold is Hold.WRITTEN else None
            )
            request = self._build(call, passage, departure)
            response = await self._exchange(call, request, departure)
        if not response.is_success:
            raise await self._refusal(call, draws, response)
        await self._admission.heard(draws, response)
        if self._rules.refusal_within is not None:
            refusal = self._rules.refusal_within(response.content)
            if refusal is not None:
                raise await self._hidden_refusal(call, draws, response, refusal)
        return response

    @asynccontextmanager
    async def _alone(self, call: Call) -> AsyncGenerator[Passage | None, None]:
        """Pass the send gate, where this venue counts nonces."""
        if self._rules.hold is None or not call.is_signed:
            yield None
            return
        async with self._gate.passage(call.operation.priority) as passage:
            yield passage

    def _build(self, call: Call, passage: Passage | None, departure: Departure) -> httpx.Request:
        body = call.body
        if callable(body):
            if passage is None:
                message = "a body with a nonce needs a venue whose rules hold the gate"
                raise NotSent(message, cause=Cause.INVALID)
            body = body(passage.nonce)
        extensions: dict[str, object] = {"trace": departure}
        if passage is not None:
            extensions["nonce"] = passage.nonce
        return self._client.build_request(
            call.method,
            self._base_url + call.path,
            params=list(call.params) or None,
            headers=list(call.headers) or None,
            content=body,
            extensions=extensions,
        )

    async def _exchange(
        self, call: Call, request: httpx.Request, departure: Departure
    ) -> httpx.Response:
        began = self._seams.stopwatch()
        status = 0
        self._witness.asked(call, request)
        try:
            response = await self._client.send(request, auth=self._auth if call.is_signed else None)
            status = response.status_code
        except VenueError:
            raise
        except Exception as error:
            raise no_answer(error, call.safety, has_begun=departure.has_begun) from error
        finally:
            self._witness.attempted(call, status, self._seams.stopwatch() - began)
        self._witness.answered(call, request, response)
        return response

    async def _refusal(
        self, call: Call, draws: Sequence[Draw], response: httpx.Response
    ) -> VenueError:
        refusal = self._read_refusal(response.status_code, response.content)
        if self._admission.is_throttle(response, refusal):
            seconds = await self._admission.close(draws, response, refusal)
            return throttled(response.status_code, refusal, seconds)
        return refused(response, refusal, call.safety)

    async def _hidden_refusal(
        self, call: Call, draws: Sequence[Draw], response: httpx.Response, refusal: Refusal
    ) -> VenueError:
        if refusal.cause is Cause.RATE_LIMITED:
            seconds = await self._admission.close(draws, response, refusal)
            return throttled(response.status_code, refusal, seconds)
        return refused_within(refusal, call.safety)
