"""The check that says so when a venue is about to rest: a warning, never a refusal."""

from __future__ import annotations

from datetime import timedelta

from trading.services.checks import Circumstances, Outcome, Ticket, Verdict
from venues.services.maintenance import next_of

NAME = "Planned maintenance"
WARN_AHEAD = timedelta(hours=1)


def venue_is_not_resting(ticket: Ticket, seen: Circumstances) -> Verdict:
    """Warn while maintenance goes on and an hour before: what is left open then cannot be watched."""
    found = next_of(ticket.symbol.venue_id, now=seen.now)
    if found is None or found.starts_at - seen.now > WARN_AHEAD:
        return Verdict(NAME, Outcome.ALLOW, "None is entered for the next hour.")
    span = f"from {found.starts_at:%H:%M} to {found.ends_at:%d %b %H:%M} UTC"
    return Verdict(NAME, Outcome.WARN, f"{ticket.symbol.venue} rests {span}: {found.note}")
