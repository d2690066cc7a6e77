"""Whether the log is sealed, and holds."""

from __future__ import annotations

from django.utils import timezone

from cqops.platform.audit import proof
from cqops.platform.audit.models import Review


def chained() -> tuple[bool, str]:
    now = timezone.now()
    tail = proof.tail(since=now - proof.LATELY)
    last = proof.last(Review.Kind.VERIFIED)
    if last is not None and not last.is_good:
        return False, "the last verification found faults: see the audit page"
    return not tail.is_late(now), tail.words(now)
