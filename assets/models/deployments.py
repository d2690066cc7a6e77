from __future__ import annotations

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Lower

from assets.models.asset import Asset
from assets.models.chain import Chain
from assets.models.claims import Brought, once


class Deployment(Brought):
    """Where an asset lives on a chain. The address is written the one way its family has.

    `address_key` is what is compared: PostgreSQL makes it itself, so that also a row that came past
    the services is found to be the same address in other letters.
    """

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="deployments")
    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="deployments")
    address = models.CharField(max_length=120)
    address_key = models.GeneratedField(
        expression=Case(
            When(address__regex=r"^0x[0-9a-fA-F]+$", then=Lower("address")), default=F("address")
        ),
        output_field=models.CharField(max_length=120),
        db_persist=True,
    )
    decimals = models.PositiveSmallIntegerField()
    is_canonical = models.BooleanField(
        default=False, help_text="The one the issuer itself means on this chain."
    )
    last_verified_at = models.DateTimeField(null=True, blank=True)

    class Meta(Brought.Meta):
        abstract = False
        constraints = [
            *Brought.Meta.constraints,
            models.CheckConstraint(
                condition=Q(address__regex=r"^[^[:space:]]+$"),
                name="deployment_address_is_one_word",
            ),
            models.CheckConstraint(
                condition=Q(decimals__lte=36), name="deployment_decimals_bounded"
            ),
            once("one_asset_an_address", "chain", "address_key"),
            once("one_canonical_deployment", "asset", "chain", condition=Q(is_canonical=True)),
        ]
        indexes = [
            *Brought.Meta.indexes,
            models.Index(fields=["chain", "address_key", "recorded_at"], name="deployment_by_key"),
            # What lives on a chain is read from the index alone.
            models.Index(
                fields=["chain", "asset"],
                include=["valid_from", "valid_to", "recorded_at", "superseded_at"],
                name="deployment_on_a_chain",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id}:{self.address}"
