"""The rules in force, and whether the people there are can ever meet them."""

from __future__ import annotations

from datetime import datetime

from cqops.platform.approvals.kinds import all_kinds
from cqops.platform.approvals.models import Rule
from cqops.platform.approvals.rules import (
    Asked,
    Match,
    Need,
    Quorum,
    Terms,
    first_match,
    is_met,
    is_sound,
)
from cqops.platform.approvals.services.people import deciders


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


def impossible(quorum: Quorum, *, kind: str, at: datetime) -> str:
    """Say in words why nobody could meet this quorum, or nothing where they can."""
    if not is_sound(quorum):
        return "A rule needs groups, each once and with at least one person of it."
    for name in [kind] if kind else all_kinds():
        found = deciders(kind=name, quorum=quorum, at=at)
        if found and is_met(quorum, {str(one.person.pk): one.seats for one in found}):
            return ""
    wanted = ", ".join(f"{need.quorum} of {need.label}" for need in quorum.needs)
    return f"Nobody could meet this: it needs {wanted}, and too few active people may decide it."


def impossible_rules(*, at: datetime) -> list[tuple[Rule, str]]:
    """List rules in force that became impossible, because somebody left or lost a role."""
    rules = Rule.objects.filter(is_enabled=True).prefetch_related("needs__group")
    found = ((rule, impossible(quorum_of(rule), kind=rule.kind, at=at)) for rule in rules)
    return [(rule, words) for rule, words in found if words]
