"""Tells the listeners and the tap what a call did, without ever standing in its way."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import httpx

from venues.interface.errors import VenueError
from venues.transport.call import Call
from venues.transport.report import Exchange, Finished, outcome_of
from venues.transport.seams import Seams
from venues.transport.tap import Direction, Kind, Raw


class Witness:
    def __init__(self, seams: Seams) -> None:
        self._observe = seams.observe
        self._finished = seams.finished
        self._tap = seams.guards.tap

    def asked(self, call: Call, request: httpx.Request) -> None:
        self._note(call, request, kind=Kind.REQUEST, body=request.content, status=0)

    def answered(self, call: Call, request: httpx.Request, response: httpx.Response) -> None:
        status = response.status_code
        self._note(call, request, kind=Kind.ANSWER, body=response.content, status=status)

    def _note(
        self, call: Call, request: httpx.Request, *, kind: Kind, body: bytes, status: int
    ) -> None:
        """Copy what is private; a public call would only fill the record."""
        if self._tap is None or not call.is_signed:
            return
        self._tap.note(
            Raw(
                direction=Direction.SENT if kind is Kind.REQUEST else Direction.RECEIVED,
                kind=kind,
                at=self._tap.now(),
                body=body,
                line=f"{request.method} {request.url.raw_path.decode('ascii')}",
                status=status,
                operation=call.operation.name,
                reference=call.operation.reference,
            )
        )

    def attempted(self, call: Call, status: int, seconds: float) -> None:
        if self._observe is None:
            return
        exchange = Exchange(
            method=call.method,
            path=_path(call),
            status=status,
            seconds=seconds,
            operation=call.operation.name,
        )
        # A listener that fails must not turn a sent order into an error.
        with suppress(Exception):
            self._observe(exchange)

    def finished(
        self,
        call: Call,
        *,
        failure: BaseException | None,
        seconds: float,
        attempts: int,
        budget_left: Mapping[str, float],
        breaker: str,
    ) -> None:
        if self._finished is None:
            return
        finished = Finished(
            operation=call.operation.name,
            priority=call.operation.priority,
            method=call.method,
            path=_path(call),
            reference=call.operation.reference,
            outcome=outcome_of(failure),
            cause=failure.cause.value if isinstance(failure, VenueError) else "",
            seconds=seconds,
            attempts=attempts,
            budget_left=budget_left,
            breaker=breaker,
        )
        with suppress(Exception):
            self._finished(finished)


def _path(call: Call) -> str:
    return call.path.partition("?")[0]
