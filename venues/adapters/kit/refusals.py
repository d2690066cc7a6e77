"""What a venue's refusals mean: one table a venue, code to cause, and a rule for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from venues.interface.errors import Cause, Rejected
from venues.transport.http import Refusal

_LONGEST: Final = 200


class Causes:
    """Codes by their cause, each cause's codes written as words in one text.

    A code nobody listed is a no for good, never a reason to try again, unless it begins the way
    `invalid_prefixes` say a complaint about the request does.
    """

    def __init__(
        self, table: Mapping[Cause, str], *, invalid_prefixes: tuple[str, ...] = ()
    ) -> None:
        self._by_code = {code: cause for cause, codes in table.items() for code in codes.split()}
        self._invalid_prefixes = invalid_prefixes

    def known(self, code: str) -> Cause | None:
        """Return the cause of a code that is listed."""
        return self._by_code.get(code)

    def of(self, code: str) -> Cause:
        known = self._by_code.get(code)
        if known is not None:
            return known
        is_about_the_request = bool(code) and code.startswith(self._invalid_prefixes)
        return Cause.INVALID if is_about_the_request else Cause.PERMANENT


class Phrases:
    """For venues whose refusals are sentences: the first phrase found in one decides."""

    def __init__(self, table: Mapping[str, Cause]) -> None:
        self._table = {phrase.casefold(): cause for phrase, cause in table.items()}

    def find(self, text: str) -> Cause | None:
        said = text.casefold()
        return next((cause for phrase, cause in self._table.items() if phrase in said), None)


def rejected(refusal: Refusal, but: str = "") -> Rejected:
    """Make the final no of a refusal, in the venue's words unless there are better ones."""
    return Rejected(but or refusal.message, cause=refusal.cause, venue_code=refusal.code)


def plain_refusal(status: int, body: bytes, cause: Cause = Cause.INVALID) -> Refusal:
    """Read a body that is no message of the venue's: text, a page, or nothing."""
    text = body[:_LONGEST].decode("utf-8", "replace").strip()
    words = "an HTML page" if text.startswith("<") else text
    return Refusal(cause, "", words or f"HTTP {status}")
