"""The rules in force, and whether the people there are could meet them, whoever of them asks."""

from __future__ import annotations

from datetime import datetime

from cqops.platform.approvals.kinds import all_kinds, label_of
from cqops.platform.approvals.models import Rule
from cqops.platform.approvals.rules import (
    Asked,
    Match,
    Need,
    Quorum,
    Terms,
    first_match,
    is_met_without_one,
    is_sound,
)
from cqops.platform.approvals.services.people import Roll, whole_roll


def quorum_of(rule: Rule) -> Quorum:
    needs = tuple(
        Need(str(need.group_id), need.group.name, need.quorum)
        for need in sorted(rule.needs.all(), key=lambda need: need.group.name)
    )
    return Quorum(needs=needs, groups_required=rule.groups_required)


def terms_of(rule: Rule) -> Terms:
    return Terms(
        key=str(rule.pk),
        name=rule.name,
        quorum=quorum_of(rule),
        kind=rule.kind,
        notional_from=rule.notional_from,
        venue=rule.venue,
        account=rule.account,
        asset_group=rule.asset_group,
        role=rule.role,
    )


def match(asked: Asked) -> Match:
    """Find the first rule that fits."""
    rules = Rule.objects.filter(is_enabled=True).prefetch_related("needs__group")
    return first_match((terms_of(rule) for rule in rules), asked)


def impossible(terms: Terms, *, at: datetime, among: Roll | None = None) -> str:
    """Say in words why nobody could meet this rule, or nothing where they can.

    It has to be possible for every kind of request that the rule can fit, whoever asks for it: whoever
    asks never agrees, so an approver who asks is one approver fewer.
    """
    if not is_sound(terms.quorum):
        return "A rule needs groups, each once and with at least one person of it."
    found = among or whole_roll(at=at)
    stuck = [label_of(kind) for kind in _fitting(terms) if not _can_be_met(terms, kind, found)]
    if not stuck:
        return ""
    wanted = ", ".join(f"{need.quorum} of {need.label}" for need in terms.quorum.needs)
    return (
        f"Nobody could meet this: it needs {wanted}, and too few active people may decide it when"
        f" one of them asks ({'; '.join(stuck)})."
    )


def _fitting(terms: Terms) -> list[str]:
    """List the kinds that this rule can fit: named by it, and with the facts that it looks at."""
    return [
        name
        for name, kind in all_kinds().items()
        if terms.kind in {"", name} and terms.asks_about <= kind.tells
    ]


def _can_be_met(terms: Terms, kind: str, among: Roll) -> bool:
    seats = {
        str(one.person.pk): one.seats for one in among.deciders(kind=kind, quorum=terms.quorum)
    }
    askers = [str(one.pk) for one in among.askers(kind=kind, role=terms.role)]
    return is_met_without_one(terms.quorum, seats, askers)


def impossible_rules(*, at: datetime) -> list[tuple[Rule, str]]:
    """List rules in force that became impossible, because somebody left or lost a role."""
    among = whole_roll(at=at)
    rules = Rule.objects.filter(is_enabled=True).prefetch_related("needs__group")
    found = ((rule, impossible(terms_of(rule), at=at, among=among)) for rule in rules)
    return [(rule, words) for rule, words in found if words]
