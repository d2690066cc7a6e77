"""One call before it has a signature, and when it may be made again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from venues.interface.errors import Cause, VenueError
from venues.transport.answers import ONCE_MORE, HeldBack
from venues.transport.operation import Operation, Safety
from venues.transport.seams import Patience

# A body that holds its own nonce is made when the nonce is known.
Body = bytes | Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    method: str
    path: str
    operation: Operation
    safety: Safety
    is_signed: bool
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: Body | None = None


def delay_before_next(
    error: VenueError, attempt: int, *, safety: Safety, patience: Patience, dice: float
) -> float | None:
    """Say how long to wait before sending the same call again, or None to give up."""
    if attempt >= patience.attempts or isinstance(error, HeldBack):
        return None
    spread = 0.5 + dice / 2
    delay = min(patience.first_delay_seconds * 2 ** (attempt - 1), patience.longest_delay_seconds)
    if error.cause is Cause.AUTH:
        # A 401 was not processed, and under load it is a throttle in disguise: once more.
        is_once_more = attempt == 1 and error.venue_code == ONCE_MORE
        return delay * spread if is_once_more else None
    if safety is Safety.ONCE:
        return None
    if error.cause is Cause.RATE_LIMITED:
        # The budget is closed for as long as the venue said, and does the waiting.
        return 0.0 if (error.retry_after or 0.0) <= patience.longest_delay_seconds else None
    return delay * spread if error.cause is Cause.TEMPORARY else None
