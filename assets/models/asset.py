from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from assets.models.registered import Registered


class AssetKind(models.TextChoices):
    NATIVE = "native", "Native coin"
    TOKEN = "token", "Token"
    STABLECOIN = "stablecoin", "Stablecoin"
    WRAPPED = "wrapped", "Wrapped"
    STAKED = "staked", "Staked"
    LP = "lp", "Share of a pool"
    FIAT = "fiat", "Fiat money"
    PERPETUAL = "perpetual", "Underlying of a perpetual"
    EQUITY = "equity", "Equity-like"


class Asset(Registered):
    """Something that can be owned.

    The id is its identity; the symbol is only what people call it now, and two assets may share one.
    What it was called when is told by its aliases.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    symbol = models.CharField(max_length=32, db_index=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=AssetKind)
    category = models.CharField(
        max_length=40, blank=True, help_text="The desk's own word, such as layer 1 or exchange."
    )
    precision = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="Decimals of its smallest unit; empty where deployments differ or nobody knows.",
    )
    display_places = models.PositiveSmallIntegerField(
        default=8, help_text="How many decimal places pages show; stored amounts are always exact."
    )

    class Meta(Registered.Meta):
        abstract = False
        ordering = ["symbol", "name"]
        constraints = [
            *Registered.Meta.constraints,
            models.CheckConstraint(condition=~Q(symbol=""), name="asset_has_a_symbol"),
            models.CheckConstraint(
                condition=Q(display_places__lte=24), name="asset_display_places_bounded"
            ),
            models.CheckConstraint(
                condition=Q(precision=None) | Q(precision__lte=36), name="asset_precision_bounded"
            ),
        ]
        indexes = [
            models.Index(Upper("name"), name="asset_by_name"),
            models.Index(fields=["symbol", "id"], name="asset_by_symbol"),
            GinIndex(OpClass(Upper("symbol"), "gin_trgm_ops"), name="asset_part_of_symbol"),
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="asset_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.symbol

    @property
    def label(self) -> str:
        """Name it so that two of one ticker are told apart."""
        return f"{self.name} ({self.symbol})"
