"""One HTTP call to a venue, answered in the three words of `venues.interface.errors`.

What we believe after a failure is decided here, once, for every venue:

  could not connect, no free connection     nothing left us: `NotSent`
  429                                       the venue did not process it: `NotSent`, rate limited
  any other 4xx                             the venue said no: `Rejected`
  5xx, 3xx, 408, 409, 425, cut, timed out   a read may be repeated: `NotSent`, temporary
                                            anything that changes money: `OutcomeUnknown`

A cancelled task raises `CancelledError` unchanged; whoever cancels a send must treat the order as
unknown, exactly as after a kill.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import urlsplit

import httpx

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.transport.redact import redact_text

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})

_NOTHING_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
_NOT_A_REQUEST: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
_SAYS_NOTHING: Final = frozenset({408, 409, 425})
_CAUSE_BY_STATUS: Final = {401: Cause.AUTH, 403: Cause.AUTH, 404: Cause.NOT_FOUND}


class Safety(Enum):
    """What repeating a call can do."""

    READ = auto()  # changes nothing
    REPEATABLE = auto()  # changes something once, however often it is sent: a cancel
    ONCE = auto()  # creates: never sent again by us


@dataclass(frozen=True, slots=True)
class Refusal:
    """A venue's error body, read by its adapter."""

    cause: Cause
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What one attempt cost, for metrics; no header, no body, no query."""

    method: str
    path: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait and how often to try again."""

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    pool_seconds: float = 5.0
    max_connections: int = 20
    attempts: int = 3
    first_delay_seconds: float = 0.25
    longest_delay_seconds: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What a test replaces: the wire, the waiting, the dice, the stop-watch, the listener."""

    wire: httpx.AsyncBaseTransport | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    dice: Callable[[], float] = random.random
    stopwatch: Callable[[], float] = time.monotonic
    observe: Callable[[Exchange], None] | None = None


class HttpTransport:
    """A pooled connection to one venue for one key."""

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None,
        read_refusal: Callable[[int, bytes], Refusal],
        on_unauthorized: Callable[[], Awaitable[None]] | None = None,
        patience: Patience | None = None,
        seams: Seams | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._read_refusal = read_refusal
        self._on_unauthorized = on_unauthorized
        self._patience = patience or Patience()
        self._seams = seams or Seams()
        self._client = httpx.AsyncClient(
            transport=self._seams.wire,
            timeout=httpx.Timeout(
                self._patience.read_seconds,
                connect=self._patience.connect_seconds,
                pool=self._patience.pool_seconds,
            ),
            limits=httpx.Limits(max_connections=self._patience.max_connections),
            follow_redirects=False,
            trust_env=urlsplit(base_url).hostname not in LOOPBACK,
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        is_signed: bool = True,
    ) -> bytes:
        """Read something; temporary failures are tried again within bounds."""
        content, _ = await self.get_page(path, params=params, headers=headers, is_signed=is_signed)
        return content

    async def get_page(
        self,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        is_signed: bool = True,
    ) -> tuple[bytes, Mapping[str, str]]:
        """Read something whose headers say how to go on."""
        request = self._client.build_request(
            "GET", self._base_url + path, params=list(params), headers=headers
        )
        response = await self._send(request, Safety.READ, is_signed=is_signed)
        return response.content, response.headers

    async def delete(
        self, path: str, *, params: Sequence[tuple[str, str]] = (), safety: Safety
    ) -> bytes:
        """Take something back, such as an order."""
        request = self._client.build_request("DELETE", self._base_url + path, params=list(params))
        return (await self._send(request, safety, is_signed=True)).content

    async def post(self, path: str, body: bytes, *, safety: Safety) -> bytes:
        """Send these exact bytes."""
        request = self._client.build_request(
            "POST",
            self._base_url + path,
            content=body,
            headers={"Content-Type": "application/json"},
        )
        return (await self._send(request, safety, is_signed=True)).content

    async def _send(
        self, request: httpx.Request, safety: Safety, *, is_signed: bool
    ) -> httpx.Response:
        is_doubtful = False
        attempt = 1
        while True:
            try:
                return await self._attempt(request, safety, is_signed=is_signed)
            except VenueError as error:
                is_doubtful = is_doubtful or isinstance(error, OutcomeUnknown)
                delay = self._delay_before_next(error, attempt, safety)
                if delay is not None:
                    await self._seams.sleep(delay)
                    if error.cause is Cause.AUTH and is_signed and self._on_unauthorized:
                        await self._on_unauthorized()
                    attempt += 1
                    continue
                if is_doubtful and not isinstance(error, OutcomeUnknown):
                    message = f"an earlier attempt may have arrived; then: {error}"
                    raise _unknown(message) from error
                raise

    def _delay_before_next(self, error: VenueError, attempt: int, safety: Safety) -> float | None:
        """Say how long to wait before sending the same call again, or None to give up."""
        patience = self._patience
        if attempt >= patience.attempts:
            return None
        spread = 0.5 + self._seams.dice() / 2
        delay = min(
            patience.first_delay_seconds * 2 ** (attempt - 1), patience.longest_delay_seconds
        )
        if error.cause is Cause.AUTH:
            # A 401 was not processed, and under load it is a throttle in disguise: once more.
            is_once_more = attempt == 1 and error.venue_code == "401"
            return delay * spread if is_once_more else None
        if safety is Safety.ONCE:
            return None
        if error.cause is Cause.RATE_LIMITED:
            wait = delay if error.retry_after is None else error.retry_after
            return wait if wait <= patience.longest_delay_seconds else None
        return delay * spread if error.cause is Cause.TEMPORARY else None

    async def _attempt(
        self, request: httpx.Request, safety: Safety, *, is_signed: bool
    ) -> httpx.Response:
        began = self._seams.stopwatch()
        status = 0
        try:
            response = await self._client.send(request, auth=self._auth if is_signed else None)
            status = response.status_code
        except _NOTHING_LEFT as error:
            message = f"could not connect: {_name(error)}"
            raise NotSent(message, cause=Cause.TEMPORARY) from error
        except _NOT_A_REQUEST as error:
            message = f"not a request: {_name(error)}"
            raise NotSent(message, cause=Cause.INVALID) from error
        except VenueError:
            raise
        except Exception as error:
            # Whatever else happened, bytes may have left: only a read may be called unsent.
            message = f"no answer: {_name(error)}"
            raise _after_sending(message, safety) from error
        finally:
            if self._seams.observe is not None:
                seconds = self._seams.stopwatch() - began
                self._seams.observe(
                    Exchange(
                        method=request.method,
                        path=request.url.path,
                        status=status,
                        seconds=seconds,
                    )
                )
        if response.is_success:
            return response
        raise self._refusal(response, safety)

    def _refusal(self, response: httpx.Response, safety: Safety) -> VenueError:
        status = response.status_code
        refusal = self._read_refusal(status, response.content)
        words = f"{status} {redact_text(refusal.message)[:300]}".strip()
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return NotSent(
                words,
                cause=Cause.RATE_LIMITED,
                venue_code=refusal.code or str(status),
                retry_after=_retry_after(response),
            )
        if not response.is_client_error or status in _SAYS_NOTHING:
            return _after_sending(words, safety, code=refusal.code or str(status))
        cause = _CAUSE_BY_STATUS.get(status, refusal.cause)
        code = str(status) if status == httpx.codes.UNAUTHORIZED else refusal.code or str(status)
        return Rejected(words, cause=cause, venue_code=code)


def _name(error: Exception) -> str:
    return f"{type(error).__name__} {redact_text(str(error))[:200]}".strip()


def _unknown(message: str, code: str = "") -> OutcomeUnknown:
    return OutcomeUnknown(message, cause=Cause.TEMPORARY, venue_code=code)


def _after_sending(message: str, safety: Safety, code: str = "") -> VenueError:
    if safety is Safety.READ:
        return NotSent(message, cause=Cause.TEMPORARY, venue_code=code)
    return _unknown(message, code)


def _retry_after(response: httpx.Response) -> float | None:
    """Read Retry-After in seconds; the date form is rare enough to fall back to our own delay."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
