"""What one person takes many symbols to stand for, asked in one request where all rest on the same evidence.

What is ticked is looked for again when it comes in: the evidence is what the registry says now, never what a
page says it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assets.errors import Conflict, Unfounded
from cqops.platform.access.models import User
from cqops.platform.approvals.models import Request
from venues.models import Listing
from venues.services.mapping import propose_mappings
from venues.services.suggesting import suggestions_for
from venues.services.wanted import Wanted
from venues.suggestions import RANK, Pair


def accept(*, wanted: Sequence[Wanted], reason: str, by: User) -> Request:
    """Ask a second person to agree to all of them at once; different kinds of evidence are asked apart."""
    if not wanted:
        message = "Tick at least one symbol."
        raise Unfounded(message)
    pairs = _offered(wanted)
    kinds = Counter(pair.evidence for pair in pairs)
    if len(kinds) > 1:
        told = ", ".join(f"{kinds[one]} on {one}" for one in sorted(kinds, key=RANK.__getitem__))
        message = (
            f"These rest on different kinds of evidence: {told}. Ask about one kind at a time, so that"
            " whoever agrees judges one question."
        )
        raise Conflict(message)
    return propose_mappings(wanted=wanted, evidence=next(iter(kinds)), reason=reason, by=by)


def _offered(wanted: Sequence[Wanted]) -> list[Pair]:
    """Find each reading among those the registry offers now."""
    rows = Listing.objects.select_related("venue").in_bulk([one.listing_id for one in wanted])
    found = suggestions_for(list(rows.values()))
    pairs = []
    for one in wanted:
        suggestion = found.get(one.listing_id)
        pair = suggestion.pair(one.base_id, one.quote_id) if suggestion else None
        if pair is None:
            name = rows.get(one.listing_id, "One of these symbols")
            message = f"{name} is not suggested to stand for that any more. Look again."
            raise Conflict(message)
        pairs.append(pair)
    return pairs
