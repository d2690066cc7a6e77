from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from assets.models import Asset
from assets.services import save_asset
from cqops.platform.access.admin_doors import Kept


@admin.register(Asset)
class AssetAdmin(Kept):
    list_display = ["symbol", "name", "kind", "display_places", "updated_at"]
    list_filter = ["kind"]
    search_fields = ["symbol", "name", "id"]
    readonly_fields = ["id", "created_at", "updated_at"]

    def save_model(self, request: HttpRequest, obj: Asset, form: Any, change: Any) -> None:
        save_asset(asset=obj)
