"""What the scan found and what was merged, seen here; both are decided on their own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from assets.models import Finding, Merge
from cqops.platform.access.admin_doors import Kept


class SeenOnly(Kept):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Finding)
class FindingAdmin(SeenOnly):
    list_display = ["key", "kind", "state", "opened_at", "last_seen_at", "decide"]
    list_filter = ["state", "kind"]
    search_fields = ["key"]

    @admin.display(description="page")
    def decide(self, found: Finding) -> SafeString:
        return format_html('<a href="{}">Side by side</a>', reverse("finding", args=[found.pk]))


@admin.register(Merge)
class MergeAdmin(SeenOnly):
    list_display = [
        *("asset_named", "into_named", "valid_from", "valid_to", "recorded_at", "superseded_at"),
        "decide",
    ]
    list_filter = [("superseded_at", admin.EmptyFieldListFilter)]
    list_select_related = ["asset", "into"]
    search_fields = ["asset__symbol", "asset__name", "into__symbol", "into__name"]

    @admin.display(description="asset", ordering="asset__symbol")
    def asset_named(self, merge: Merge) -> str:
        return merge.asset.label

    @admin.display(description="answers as", ordering="into__symbol")
    def into_named(self, merge: Merge) -> str:
        return merge.into.label

    @admin.display(description="page")
    def decide(self, merge: Merge) -> SafeString:
        address = reverse("merging", args=[merge.asset_id, merge.into_id])
        return format_html('<a href="{}">What follows, and splitting</a>', address)
