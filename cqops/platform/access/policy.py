"""Who may do what: one table from role to action, and the one function every door asks.

A role is a job at the desk. Admin looks after people and configuration, and neither trades nor
approves. Nobody is a superuser: a power that is not in this table does not exist.

A role is granted for the whole desk or for one venue, account or portfolio. What such a grant gives
stands in two short lists: what anyone at the desk sees (OPEN), and what can be given for a part (IN_PART).
Everything else needs a grant for the whole desk.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from cqops.platform.access.scopes import Grant, Scope, Subject, parts_of

if TYPE_CHECKING:
    from cqops.platform.access.models import User


class Role(StrEnum):
    VIEWER = "viewer"
    TRADER = "trader"
    APPROVER = "approver"
    STEWARD = "steward"
    RECON = "recon"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    DESK_VIEW = "desk.view"
    MARKET_VIEW = "market.view"
    ORDER_VIEW = "order.view"
    ORDER_PLACE = "order.place"
    ORDER_CANCEL = "order.cancel"
    POSITION_VIEW = "position.view"
    SWITCH_STOP = "switch.stop"
    REGISTRY_VIEW = "registry.view"
    REGISTRY_EDIT = "registry.edit"
    REGISTRY_APPROVE = "registry.approve"
    FLAG_RAISE = "flag.raise"
    VENUE_VIEW = "venue.view"
    VENUE_EDIT = "venue.edit"
    VENUE_NOTE = "venue.note"
    WIRE_VIEW = "wire.view"
    PEOPLE_VIEW = "people.view"
    PEOPLE_EDIT = "people.edit"
    AUDIT_VIEW = "audit.view"
    OPS_VIEW = "ops.view"
    APPROVAL_VIEW = "approval.view"
    APPROVAL_DECIDE = "approval.decide"
    ORDER_APPROVE = "order.approve"
    RULE_EDIT = "rule.edit"
    RULE_APPROVE = "rule.approve"
    ROLE_APPROVE = "role.approve"
    PROGRAM_APPROVE = "program.approve"
    KEY_APPROVE = "key.approve"
    SWITCH_APPROVE = "switch.approve"
    RECON_VIEW = "recon.view"
    RECON_RUN = "recon.run"
    BREAK_WORK = "break.work"
    BREAK_APPROVE = "break.approve"
    SCHEDULE_VIEW = "schedule.view"
    SCHEDULE_EDIT = "schedule.edit"


EVERYONE = frozenset(
    {
        Action.DESK_VIEW,
        Action.MARKET_VIEW,
        Action.ORDER_VIEW,
        Action.POSITION_VIEW,
        Action.RECON_VIEW,
    }
)
CONFIGURATION = frozenset({Action.REGISTRY_VIEW, Action.VENUE_VIEW, Action.SCHEDULE_VIEW})
# What somebody may be asked to decide; which request it is, is a matter of its rule's groups.
SECOND_PERSON = frozenset(
    {
        Action.APPROVAL_DECIDE,
        Action.ORDER_APPROVE,
        Action.RULE_APPROVE,
        Action.ROLE_APPROVE,
        Action.PROGRAM_APPROVE,
        Action.KEY_APPROVE,
        Action.SWITCH_APPROVE,
        Action.BREAK_APPROVE,
        Action.REGISTRY_APPROVE,
    }
)

# What a grant for any part of the desk opens: nothing here belongs to an account or portfolio.
OPEN = frozenset({Action.DESK_VIEW, Action.MARKET_VIEW, Action.REGISTRY_VIEW})
# What can be given for one venue, account or portfolio, and is then given for what belongs to it.
IN_PART = frozenset(
    {
        Action.ORDER_VIEW,
        Action.ORDER_PLACE,
        Action.ORDER_CANCEL,
        Action.POSITION_VIEW,
        Action.VENUE_VIEW,
        Action.WIRE_VIEW,
        Action.APPROVAL_VIEW,
        Action.APPROVAL_DECIDE,
        Action.ORDER_APPROVE,
        Action.RECON_VIEW,
        Action.RECON_RUN,
        Action.BREAK_WORK,
        Action.BREAK_APPROVE,
    }
)

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: EVERYONE,
    Role.TRADER: EVERYONE
    | {
        Action.ORDER_PLACE,
        Action.ORDER_CANCEL,
        Action.SWITCH_STOP,
        Action.REGISTRY_VIEW,
        Action.FLAG_RAISE,
        Action.APPROVAL_VIEW,
        Action.OPS_VIEW,
    },
    Role.APPROVER: EVERYONE
    | CONFIGURATION
    | SECOND_PERSON
    | {Action.SWITCH_STOP, Action.FLAG_RAISE, Action.APPROVAL_VIEW, Action.OPS_VIEW},
    Role.STEWARD: EVERYONE
    | CONFIGURATION
    | {
        Action.REGISTRY_EDIT,
        Action.REGISTRY_APPROVE,
        Action.FLAG_RAISE,
        Action.VENUE_NOTE,
        Action.APPROVAL_VIEW,
        Action.APPROVAL_DECIDE,
    },
    Role.RECON: EVERYONE
    | CONFIGURATION
    | {
        Action.APPROVAL_VIEW,
        Action.APPROVAL_DECIDE,
        Action.AUDIT_VIEW,
        Action.OPS_VIEW,
        Action.RECON_RUN,
        Action.BREAK_WORK,
        Action.BREAK_APPROVE,
        Action.SCHEDULE_EDIT,
        Action.WIRE_VIEW,
    },
    Role.AUDITOR: EVERYONE
    | CONFIGURATION
    | {
        Action.PEOPLE_VIEW,
        Action.AUDIT_VIEW,
        Action.OPS_VIEW,
        Action.APPROVAL_VIEW,
        Action.WIRE_VIEW,
    },
    Role.ADMIN: EVERYONE
    | CONFIGURATION
    | {
        Action.VENUE_EDIT,
        Action.VENUE_NOTE,
        Action.WIRE_VIEW,
        Action.PEOPLE_VIEW,
        Action.PEOPLE_EDIT,
        Action.SWITCH_STOP,
        Action.AUDIT_VIEW,
        Action.OPS_VIEW,
        Action.APPROVAL_VIEW,
        Action.APPROVAL_DECIDE,
        Action.RULE_EDIT,
        Action.ROLE_APPROVE,
        Action.PROGRAM_APPROVE,
        Action.KEY_APPROVE,
        Action.SWITCH_APPROVE,
        Action.SCHEDULE_EDIT,
    },
}
WHAT_ROLES_DO = {
    Role.VIEWER: "sees markets, orders and positions",
    Role.TRADER: "places and cancels orders",
    Role.APPROVER: "is the second pair of eyes",
    Role.STEWARD: "keeps the asset registry clean",
    Role.RECON: "proves that our books agree with the venues'",
    Role.AUDITOR: "reads everything, changes nothing",
    Role.ADMIN: "looks after people, venues and accounts; neither trades nor approves",
}


def may(user: User | AnonymousUser, action: Action | str, subject: Subject | None = None) -> bool:
    """Tell whether this person may do this, for pages, endpoints, admin and sockets alike.

    Without a subject: whether they may at all, somewhere; what they then see is filtered by
    `allowed_rows`. With one: whether they may to it. A subject is a row named in `ACCESS_SCOPES`,
    anything with `access_parts()`, or its parts themselves.
    """
    found = grants_for(user, action)
    if subject is None or action in OPEN or not found:
        return bool(found)
    parts = parts_of(subject)
    return any(grant.covers(parts) for grant in found)


class NotAllowed(PermissionDenied):
    """A role of this person does not reach this far."""


def demand(user: User | AnonymousUser, action: Action, subject: Subject) -> None:
    """Refuse what this person may not do to this; services ask before they write."""
    if not may(user, action, subject):
        raise NotAllowed(action.value)


def grants_for(user: User | AnonymousUser, action: Action | str) -> list[Grant]:
    """Return the grants that give this person this action, somewhere or everywhere."""
    if not user.is_authenticated or not user.is_active:
        return []
    if user.token_scopes is not None and action not in user.token_scopes:
        return []
    return [
        grant
        for grant in user.grants
        if action in ALLOWED[Role(grant.role)]
        and (grant.scope == Scope.DESK or action in OPEN or action in IN_PART)
    ]
