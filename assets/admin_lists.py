"""Lists of the registry in the admin that stay quick on a million rows: no full count, no search without an index."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from assets.models import Asset
from assets.services.search import part

# The claims of no more assets than these are found by a part of a name.
MOST = 1_000
COUNTED = 10_000
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"


class Estimated(Paginator):  # type: ignore[type-arg]
    """Counts up to ten thousand; past that a whole table is what PostgreSQL thinks it is.

    A filtered list ends there: nobody turns a hundred pages, and to count what else there is would take
    longer than the page.
    """

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        try:
            few, params = rows.order_by()[: COUNTED + 1].query.sql_with_params()
        except EmptyResultSet:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), ({_ESTIMATE}) FROM ({few}) AS few",  # noqa: S608 -- Django's own
                [rows.model._meta.db_table, *params],
            )
            counted, estimate = cursor.fetchone()
        is_whole = not rows.query.where and counted > COUNTED
        return max(counted, estimate) if is_whole else int(counted)


class QuickList:
    """A list whose search finds assets as the REST search does, and what is said about them."""

    paginator = Estimated
    show_full_result_count = False
    # Whose columns are an asset's id, and what else is looked for as a whole.
    of_assets: Collection[str] = ("asset",)
    found_by: Collection[str] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        assets = part(term)
        if queryset.model is not Asset:
            ids = list(Asset.objects.filter(assets).order_by().values_list("pk", flat=True)[:MOST])
            assets = Q(*((f"{name}__in", ids) for name in self.of_assets), _connector=Q.OR)
        whole = Q(*((name, term) for name in self.found_by), _connector=Q.OR)
        if _is_uuid(term):
            whole |= Q(pk=term)
        return queryset.filter(assets | whole), False


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
