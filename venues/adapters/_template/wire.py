"""The venue's messages as it writes them: only the members we read; the rest is ignored.

A member that may be missing or null has a default here, amounts are text, and nothing is a float.
"""

from __future__ import annotations

from venues.adapters.kit.reading import Wire


class ErrorBody(Wire):
    code: str
    message: str | None = ""
