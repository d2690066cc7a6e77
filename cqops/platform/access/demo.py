"""The demo people of a SIMULATED installation, one a role and a second admin.

With them one newcomer can be both pairs of eyes. They are reachable there only: elsewhere neither
the route nor the people exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from cqops.platform.access import second_factor
from cqops.platform.access.models import User
from cqops.platform.access.policy import WHAT_ROLES_DO, Role

DOMAIN = "demo.invalid"


@dataclass(frozen=True, slots=True)
class DemoPerson:
    username: str
    name: str
    role: str
    does: str


def people() -> list[DemoPerson]:
    """List who can be entered as, in the order of the roles, each once."""
    found = User.objects.filter(
        email__endswith=f"@{DOMAIN}", is_active=True, role_grants__role__in=Role
    )
    granted = found.values_list("username", "first_name", "last_name", "role_grants__role")
    listed = [
        DemoPerson(username, f"{first} {last}".strip() or username, role, WHAT_ROLES_DO[Role(role)])
        for username, first, last, role in granted.order_by("username")
    ]
    # By their last role; the first of a role is the one a newcomer enters as.
    shown = {one.username: one for role in Role for one in listed if one.role == role}
    return sorted(shown.values(), key=lambda one: list(Role).index(Role(one.role)))


def person(username: str) -> User | None:
    return User.objects.filter(
        email__endswith=f"@{DOMAIN}", is_active=True, username=username
    ).first()


def is_demo(user: User) -> bool:
    return bool(settings.IS_SIMULATED) and user.email.endswith(f"@{DOMAIN}")


def code_of(user: User) -> str | None:
    """Return the code a demo person's phone would show, so that a newcomer is never stuck.

    It is empty while every code of the moment was used, and `None` for people who are no demo.
    """
    return second_factor.present_code(user) if is_demo(user) else None
