"""What we believe after a call ended, decided once for every venue.

could not connect, no free connection     nothing left us: `NotSent`
told to slow down                         the venue did not process it: `NotSent`, rate limited
any other 4xx                             the venue said no: `Rejected`
5xx, 3xx, 408, 409, 425, cut, timed out   a read may be repeated: `NotSent`, temporary
                                          anything that changes money: `OutcomeUnknown`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.transport.operation import Safety
from venues.transport.redact import redact_text

_NOTHING_LEFT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
_NOT_A_REQUEST: Final = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)
# The code of what was refused for its key or its time, and is tried once more.
ONCE_MORE: Final = "401"
_SAYS_NOTHING: Final = frozenset({408, 409, 425})
_CAUSE_BY_STATUS: Final = {401: Cause.AUTH, 403: Cause.AUTH, 404: Cause.NOT_FOUND}


class HeldBack(NotSent):
    """Our own side let nothing out; it says nothing about the venue."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A venue's error body, read by its adapter.

    An untimely one was refused for the time it was signed with: like a 401 it is worth another try
    once the venue's clock has been asked.
    """

    cause: Cause
    code: str
    message: str
    retry_after: float | None = None
    is_untimely: bool = False


def no_answer(error: Exception, safety: Safety, *, has_begun: bool) -> VenueError:
    """Say what an exception means; `has_begun` when bytes of the request may have left us."""
    if isinstance(error, _NOTHING_LEFT) and not has_begun:
        return NotSent(f"could not connect: {_name(error)}", cause=Cause.TEMPORARY)
    if isinstance(error, _NOT_A_REQUEST) and not has_begun:
        return NotSent(f"not a request: {_name(error)}", cause=Cause.INVALID)
    # Whatever else happened, bytes may have left: only a read may be called unsent.
    return _after_sending(f"no answer: {_name(error)}", safety)


def refused(response: httpx.Response, refusal: Refusal, safety: Safety) -> VenueError:
    """Say what an answer means that is not a success."""
    status = response.status_code
    words = f"{status} {redact_text(refusal.message)[:300]}".strip()
    if not response.is_client_error or status in _SAYS_NOTHING:
        return _after_sending(words, safety, code=refusal.code or str(status))
    cause = _CAUSE_BY_STATUS.get(status, refusal.cause)
    is_once_more = status == httpx.codes.UNAUTHORIZED or refusal.is_untimely
    code = ONCE_MORE if is_once_more else refusal.code or str(status)
    return Rejected(words, cause=cause, venue_code=code)


def refused_within(refusal: Refusal, safety: Safety) -> VenueError:
    """Say what a refusal means that came in an answer which looks like a success."""
    words = redact_text(refusal.message)[:300]
    if refusal.cause is Cause.TEMPORARY:
        return _after_sending(words, safety, code=refusal.code)
    return Rejected(words, cause=refusal.cause, venue_code=refusal.code)


def throttled(status: int, refusal: Refusal, retry_after: float | None) -> NotSent:
    words = f"{status} {redact_text(refusal.message)[:300]}".strip()
    code = refusal.code or str(status)
    return NotSent(words, cause=Cause.RATE_LIMITED, venue_code=code, retry_after=retry_after)


def unknown(message: str, code: str = "") -> OutcomeUnknown:
    return OutcomeUnknown(message, cause=Cause.TEMPORARY, venue_code=code)


def retry_after(response: httpx.Response, now: Callable[[], float]) -> float | None:
    """Read Retry-After as seconds from now, in either of its forms.

    A date is compared with the venue's own clock where the answer carries it, because ours may be
    another.
    """
    text = response.headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        until = _moment(text)
        if until is None:
            return None
        since = _moment(response.headers.get("date", "")) or datetime.fromtimestamp(now(), UTC)
        seconds = max((until - since).total_seconds(), 0.0)
    return seconds if 0 <= seconds < float("inf") else None


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _after_sending(message: str, safety: Safety, code: str = "") -> VenueError:
    if safety is Safety.READ:
        return NotSent(message, cause=Cause.TEMPORARY, venue_code=code)
    return unknown(message, code)


def _name(error: Exception) -> str:
    return f"{type(error).__name__} {redact_text(str(error))[:200]}".strip()
