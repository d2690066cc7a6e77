from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.admin import TabularInline

from cqops.platform.access.admin_doors import Kept, ReadOnly, StepUp, by
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.admin_asking import Asks
from trading.models import (
    ExecutionReport,
    Order,
    OrderMove,
    Portfolio,
    SwitchMode,
    SwitchScope,
    TradingSwitch,
)
from trading.services.portfolios import save_portfolio
from trading.services.switches import is_looser, present_mode, set_mode
from trading.services.switching import ask_to_loosen


@admin.register(Portfolio)
class PortfolioAdmin(Kept):
    list_display = ["name", "kind", "is_open", "created_at"]
    list_filter = ["kind", "is_open"]
    search_fields = ["name"]
    readonly_fields = ["id", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.VENUE_EDIT)

    def has_change_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return may(request.user, Action.VENUE_EDIT)

    def save_model(self, request: HttpRequest, obj: Portfolio, form: Any, change: Any) -> None:
        save_portfolio(portfolio=obj)


@admin.register(TradingSwitch)
class TradingSwitchAdmin(Asks, StepUp, Kept):
    """Stopping is saved at once; anything looser is asked for."""

    list_display = ["scope", "subject_id", "mode", "reason", "changed_at", "changed_by"]
    list_filter = ["scope", "mode"]
    list_select_related = ["changed_by"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: TradingSwitch | None = None
    ) -> list[str]:
        """Keep a switch where it is: what it is for is chosen once."""
        return ["changed_at", "changed_by", *([] if obj is None else ["scope", "subject_id"])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.SWITCH_STOP)

    def has_change_permission(self, request: HttpRequest, obj: TradingSwitch | None = None) -> bool:
        return may(request.user, Action.SWITCH_STOP)

    def needs_proof(self, request: HttpRequest, object_id: str | None) -> bool:
        """Ask before trading is loosened; whoever stops it is never held up."""
        wanted = request.POST.get("mode", "")
        switch = self.get_object(request, object_id) if object_id else None
        present = switch.mode if switch else SwitchMode.OFF
        return wanted in SwitchMode.values and is_looser(wanted, than=present)

    def save_model(self, request: HttpRequest, obj: TradingSwitch, form: Any, change: Any) -> None:
        scope, mode = SwitchScope(obj.scope), SwitchMode(obj.mode)
        subject, reason, who = obj.subject_id, obj.reason, by(request)
        if is_looser(mode, than=present_mode(scope=scope, subject_id=subject)):
            self.asked(
                request,
                lambda: ask_to_loosen(
                    scope=scope, subject_id=subject, mode=mode, reason=reason, by=who
                ),
            )
        else:
            stored = set_mode(scope=scope, subject_id=subject, mode=mode, reason=reason, by=who)
            messages.success(request, f"{stored}.")


class Moves(TabularInline):  # type: ignore[misc]
    model = OrderMove
    fields = ["at", "here", "there", "by", "reason", "evidence"]
    readonly_fields = fields
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnly):
    list_display = [
        "placed_at",
        "symbol",
        "side",
        "order_type",
        "quantity",
        "limit_price",
        "filled_quantity",
        "state",
        "portfolio",
    ]
    list_filter = ["state", "side", "portfolio", "account"]
    list_select_related = ["symbol__venue", "portfolio"]
    search_fields = ["client_order_id", "venue_order_id"]
    inlines = [Moves]
    show_full_result_count = False


@admin.register(ExecutionReport)
class ExecutionReportAdmin(ReadOnly):
    list_display = [
        "executed_at",
        "symbol_text",
        "side",
        "price",
        "quantity",
        "fee",
        "fee_currency",
        "liquidity",
        "venue_execution_id",
    ]
    list_filter = ["side", "liquidity", "account"]
    search_fields = ["venue_execution_id", "venue_order_id"]
    show_full_result_count = False
