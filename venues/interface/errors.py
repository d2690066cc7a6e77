"""What can go wrong at a venue, as one tree.

    VenueError
      NotSent            nothing reached the venue: safe to send again
        Unsupported      this venue has no such method, and says so in words
      OutcomeUnknown     the venue may have acted: ask by client id before anything else
      Rejected           the venue answered no: final for this request

Beside the answer stands the cause, one of `Cause`, so that a caller can decide without
reading a message. A time-out while placing an order is always `OutcomeUnknown`.
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why the call did not succeed, in the desk's words."""

    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class VenueError(Exception):
    """The venue call did not succeed."""

    def __init__(
        self,
        message: str,
        *,
        cause: Cause,
        venue_code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.venue_code = venue_code
        self.retry_after = retry_after


class NotSent(VenueError):
    """Nothing reached the venue; sending again is safe."""


class Unsupported(NotSent):
    """The venue does not offer this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, cause=Cause.PERMANENT)


class OutcomeUnknown(VenueError):
    """The venue may or may not have acted; look the order up by its client id."""


class Rejected(VenueError):
    """The venue refused, and said why."""
