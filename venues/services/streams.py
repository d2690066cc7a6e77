"""What becomes of a stream, told to those who run the desk."""

from __future__ import annotations

from collections.abc import Mapping

from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.interface.types import StreamReset

# Every stream begins with one of these, and again after each time it was lost.
BEGINS = frozenset({"connected", "subscribed"})
GAP = "sequence gap"


def tell_reset(stream: str, reset: StreamReset, *, labels: Mapping[str, str]) -> None:
    """Tell why a stream has to be read anew; that it begins is no trouble."""
    if reset.reason in BEGINS:
        tell("stream.connected", f"{stream}: {reset.reason}.", labels=labels)
        return
    kind = "stream.gap" if reset.reason.startswith(GAP) else "stream.reset"
    words = f"{stream}: read anew after {reset.reason}"
    tell(kind, words, severity=Severity.ATTENTION, labels=labels)
