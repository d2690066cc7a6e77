"""The pre-trade check of quality flags: a critical one blocks what adds exposure, a high one asks a second.

What only gets out of what is flagged is never blocked. It warns, and out of what is critical it takes a
second person. The flags are those of the two assets of the symbol and of what is related to them.
"""

from __future__ import annotations

from assets.services.obstacles import Obstacle
from trading.services.checks import Circumstances, Outcome, Ticket, Verdict
from venues.interface.types import Side

NAME = "Quality flags"
_WORST_FIRST = [Outcome.BLOCK, Outcome.NEEDS_APPROVAL, Outcome.WARN]


def no_flag_stands_against_it(ticket: Ticket, seen: Circumstances) -> Verdict:
    if not seen.obstacles:
        return Verdict(NAME, Outcome.ALLOW, "No severe flag stands against these assets.")
    outcomes = {_outcome(one, ticket, seen) for one in seen.obstacles}
    worst = next(outcome for outcome in _WORST_FIRST if outcome in outcomes)
    flags = " ".join(dict.fromkeys(one.words for one in seen.obstacles))
    return Verdict(NAME, worst, f"{_WORDS[worst]}{_rest(worst, ticket, seen)} {flags}")


def _outcome(one: Obstacle, ticket: Ticket, seen: Circumstances) -> Outcome:
    if _gets_out(one, ticket, seen):
        return Outcome.NEEDS_APPROVAL if one.is_critical else Outcome.WARN
    return Outcome.BLOCK if one.is_critical else Outcome.NEEDS_APPROVAL


def _gets_out(one: Obstacle, ticket: Ticket, seen: Circumstances) -> bool:
    """Tell whether it reduces what is held of what the flag stands against, or pays with it."""
    if one.asset_id == ticket.symbol.quote_id:
        return ticket.side is Side.BUY
    return seen.is_way_out(ticket)


def _rest(worst: Outcome, ticket: Ticket, seen: Circumstances) -> str:
    return seen.why_not_out(ticket) if worst is Outcome.BLOCK else ""


_WORDS = {
    Outcome.BLOCK: "A critical flag stands against this: only getting out of it goes on.",
    Outcome.NEEDS_APPROVAL: "Severe flags stand against this, so somebody else has to agree.",
    Outcome.WARN: "A flag stands against this. It only gets out of it, so it may go.",
}
