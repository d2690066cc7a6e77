from __future__ import annotations

import uuid

from django.db import models


class AssetKind(models.TextChoices):
    NATIVE = "native", "Native coin"
    TOKEN = "token", "Token"
    STABLECOIN = "stablecoin", "Stablecoin"
    FIAT = "fiat", "Fiat money"


class Asset(models.Model):
    """Something that can be owned.

    The id is its identity; the symbol is only what people call it, and two assets may share one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    symbol = models.CharField(max_length=32, db_index=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=AssetKind)
    display_places = models.PositiveSmallIntegerField(
        default=8, help_text="How many decimal places pages show; stored amounts are always exact."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["symbol", "name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(symbol=""), name="asset_has_a_symbol"),
            models.CheckConstraint(
                condition=models.Q(display_places__lte=24), name="asset_display_places_bounded"
            ),
        ]

    def __str__(self) -> str:
        return self.symbol
