"""The failures worth rehearsing, each as the library really raises it."""

from __future__ import annotations

from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, Unsupported


def rate_limited(retry_after: float | None = 1.0) -> NotSent:
    """Nothing was sent: the venue, or our own budget, asks to wait so many seconds."""
    return NotSent("too many requests", cause=Cause.RATE_LIMITED, retry_after=retry_after)


def unreachable() -> NotSent:
    return NotSent("the venue cannot be reached", cause=Cause.TEMPORARY)


def no_answer() -> OutcomeUnknown:
    """Something was sent and no answer came: the order may or may not stand."""
    return OutcomeUnknown("no answer in time", cause=Cause.TEMPORARY)


def refused(
    cause: Cause = Cause.INVALID, message: str = "the venue refused", venue_code: str = "REFUSED"
) -> Rejected:
    return Rejected(message, cause=cause, venue_code=venue_code)


def no_funds() -> Rejected:
    return refused(Cause.INSUFFICIENT_FUNDS, "insufficient funds", "INSUFFICIENT_FUNDS")


def not_found(message: str = "no such order") -> Rejected:
    return refused(Cause.NOT_FOUND, message, "NOT_FOUND")


def bad_key() -> Rejected:
    return refused(Cause.AUTH, "the key is not known", "UNAUTHORIZED")


def unsupported(message: str = "this venue does not offer this") -> Unsupported:
    return Unsupported(message)
