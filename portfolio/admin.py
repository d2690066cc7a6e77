from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from cqops.platform.access.admin_doors import ReadOnly
from portfolio.models import Break, BreakNote, OpeningBalance, Position, Reconciliation


@admin.register(Position)
class PositionAdmin(ReadOnly):
    list_display = ["portfolio", "account", "asset", "quote", "quantity", "realised", "updated_at"]
    list_filter = ["portfolio", "account", "asset"]
    list_select_related = ["portfolio", "account__venue", "asset", "quote"]


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnly):
    list_display = ["requested_at", "account", "outcome", "words", "breaks_open", "finished_at"]
    list_filter = ["outcome", "triggered_by", "account"]
    list_select_related = ["account__venue"]
    show_full_result_count = False


class Notes(TabularInline):  # type: ignore[misc]
    model = BreakNote
    fields = ["at", "by", "words"]
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Break)
class BreakAdmin(ReadOnly):
    list_display = ["first_seen_at", "title", "amount", "unit", "state", "account", "owner"]
    list_filter = ["state", "kind", "account"]
    list_select_related = ["account__venue", "owner"]
    search_fields = ["title", "key"]
    inlines = [Notes]
    show_full_result_count = False


@admin.register(OpeningBalance)
class OpeningBalanceAdmin(ReadOnly):
    list_display = ["account", "currency", "amount", "taken_at", "is_first_sight", "by", "reason"]
    list_filter = ["is_first_sight", "account"]
    list_select_related = ["account__venue", "by"]
