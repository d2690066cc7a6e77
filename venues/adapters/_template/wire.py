"""The venue's messages as it writes them: the members we read, and by name those we do not.

A member that may be missing or null has a default here, amounts are text, and nothing is a float.
"""

from __future__ import annotations

from typing import Final

from venues.adapters.kit.reading import Wire
from venues.adapters.kit.watching import Known


class ErrorBody(Wire):
    code: str
    message: str | None = ""


# What the venue's documents name beside what is read above, kind by kind and as words in one text:
# `{Order: "profile_id settled", ...}`. Whatever is in neither is reported, once, and never read.
KNOWN: Final = Known({ErrorBody: ""}, refusal=ErrorBody)
