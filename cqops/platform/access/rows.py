"""Which rows a person may see or act on: the policy as a filter of a query."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from cqops.platform.access.models import User
from cqops.platform.access.policy import OPEN, Action, grants_for
from cqops.platform.access.scopes import Grant, Scope, paths_of

M = TypeVar("M", bound=Model)


def allowed_rows(
    user: User | AnonymousUser, action: Action | str, rows: QuerySet[M]
) -> QuerySet[M]:
    """Keep the rows to which this person may do this: `may` for each of them, in one query."""
    return _filtered(user, action, rows, unnamed=NOTHING)


def eligible_rows(
    user: User | AnonymousUser, action: Action | str, rows: QuerySet[M]
) -> QuerySet[M]:
    """Keep the rows that may be chosen as part of a subject, as the account of an order.

    A grant for an account says nothing about portfolios, so every portfolio may be chosen with it;
    the whole subject is asked about in the end.
    """
    return _filtered(user, action, rows, unnamed=EVERYTHING)


EVERYTHING, NOTHING = Q(), Q(pk__in=[])


def _filtered(
    user: User | AnonymousUser, action: Action | str, rows: QuerySet[M], *, unnamed: Q
) -> QuerySet[M]:
    found = grants_for(user, action)
    if not found:
        return rows.none()
    if action in OPEN or any(grant.scope == Scope.DESK for grant in found):
        return rows
    wanted = [_within(grant, rows.model, unnamed) for grant in found]
    return rows if EVERYTHING in wanted else rows.filter(reduce(or_, wanted))


def _within(grant: Grant, model: type[Model], unnamed: Q) -> Q:
    path = paths_of(model).get(grant.scope)
    return Q(**{path: grant.scope_id}) if path else unnamed
