from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from assets.addresses import Family
from assets.models.asset import Asset
from assets.models.registered import WEB, Registered


class ChainFamily(models.TextChoices):
    """How addresses of a chain are written; the values are those of `assets.addresses`."""

    EVM = Family.EVM.value, "EVM"
    SOLANA = Family.SOLANA.value, "Solana"
    UTXO = Family.UTXO.value, "UTXO"
    COSMOS = Family.COSMOS.value, "Cosmos"
    TRON = Family.TRON.value, "Tron"
    OTHER = Family.OTHER.value, "Other"


class Chain(Registered):
    """A blockchain. Its id is a short name that never changes, such as `ethereum`."""

    id = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=80)
    family = models.CharField(max_length=8, choices=ChainFamily)
    native_asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, null=True, blank=True, related_name="native_of"
    )
    rpc_urls = ArrayField(
        models.CharField(max_length=300, validators=[WEB]),
        default=list,
        blank=True,
        verbose_name="RPC addresses",
        help_text="Public ones only: never one that carries a key.",
    )
    explorer_url = models.CharField(max_length=300, blank=True, validators=[WEB])

    class Meta(Registered.Meta):
        abstract = False
        ordering = ["name"]
        constraints = [
            *Registered.Meta.constraints,
            models.CheckConstraint(
                condition=Q(id__regex=r"^[a-z0-9][a-z0-9-]*$"), name="chain_id_is_a_short_name"
            ),
            models.CheckConstraint(
                condition=Q(family__in=ChainFamily.values), name="chain_family_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
