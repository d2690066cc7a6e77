"""What an asset is called: by people, by its ticker, and by other systems, by their own ids."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from assets.models.asset import Asset
from assets.models.claims import Brought, once


class Alias(Brought):
    """A ticker of an asset, for a span of time. Two assets may share one; then it is ambiguous.

    One of them at a time is the one the desk itself uses.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="aliases")
    ticker = models.CharField(max_length=32)
    is_primary = models.BooleanField(default=False)

    class Meta(Brought.Meta):
        abstract = False
        verbose_name_plural = "aliases"
        constraints = [
            *Brought.Meta.constraints,
            models.CheckConstraint(condition=~Q(ticker=""), name="alias_has_a_ticker"),
            once("alias_said_once", "asset", Upper("ticker")),
            once("one_primary_alias_an_asset", "asset", condition=Q(is_primary=True)),
        ]
        indexes = [
            *Brought.Meta.indexes,
            models.Index(Upper("ticker"), "recorded_at", name="alias_by_ticker"),
            # For one ticker the planner would otherwise walk through all of `alias_said_once`.
            HashIndex(Upper("ticker"), name="alias_of_ticker"),
        ]

    def __str__(self) -> str:
        return self.ticker


class Scheme(models.TextChoices):
    COINGECKO = "coingecko", "CoinGecko"
    COINMARKETCAP = "coinmarketcap", "CoinMarketCap"
    DEFILLAMA = "defillama", "DefiLlama"
    ISO4217 = "iso4217", "ISO 4217"
    VENUE = "venue", "Code at a venue"


class Identifier(Brought):
    """The id of an asset in another system. One value of a scheme means one asset at a time.

    A code at a venue carries the venue's short name, such as `kraken:XXBT`.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="identifiers")
    scheme = models.CharField(max_length=16, choices=Scheme)
    value = models.CharField(max_length=120)
    last_verified_at = models.DateTimeField(null=True, blank=True)

    class Meta(Brought.Meta):
        abstract = False
        constraints = [
            *Brought.Meta.constraints,
            models.CheckConstraint(condition=~Q(value=""), name="identifier_has_a_value"),
            models.CheckConstraint(
                condition=~Q(scheme=Scheme.VENUE) | Q(value__regex=r"^[a-z0-9_-]+:.+$"),
                name="identifier_names_its_venue",
            ),
            once("identifier_means_one_asset", "scheme", "value"),
        ]
        indexes = [
            *Brought.Meta.indexes,
            models.Index(fields=["scheme", "value", "recorded_at"], name="identifier_by_value"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"
