"""The policy at the REST door: every view names the action a method needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission

from cqops.platform.access.freshness import is_fresh
from cqops.platform.access.policy import may

if TYPE_CHECKING:
    from django.http import HttpRequest

    # At run time the REST framework itself imports this module.
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from cqops.platform.access.models import User


class MayAct(BasePermission):
    """Allow what `view.actions[method]` names; a view that names nothing allows nothing."""

    message = "Your roles do not allow this. Ask an admin for the role that does."

    def has_permission(self, request: Request, view: APIView) -> bool:
        action = getattr(view, "actions", {}).get(request.method)
        return action is not None and may(request.user, action)


def caller(request: Request) -> User:
    """Return who calls; `MayAct` lets nobody without a role come this far."""
    if not request.user.is_authenticated:
        raise NotAuthenticated
    return request.user


def is_proven(request: Request) -> bool:
    """Tell whether a dangerous act needs no other proof: a browser's was fresh, a program's is its token."""
    if caller(request).token_scopes is not None:
        return True
    return is_fresh(cast("HttpRequest", request))
