"""What a venue lists, and what its symbols stand for: two things that are never mixed.

A listing is what the venue says of one of its symbols, and where the desk stands with it. It follows the
venue. A venue symbol is what the desk holds it to stand for: a claim on two clocks that two people made, and
that nothing a venue says can alter. Orders and fills name the claim they were made under.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from assets.fields import AmountField
from assets.models import Asset, Claim
from assets.models.claims import ClaimQuerySet, once
from venues.interface import types


class InstrumentKind(models.TextChoices):
    """The kinds of `venues.interface`, for the eye."""

    SPOT = types.InstrumentKind.SPOT.value, "Spot"
    PERPETUAL = types.InstrumentKind.PERPETUAL.value, "Perpetual"
    FUTURE = types.InstrumentKind.FUTURE.value, "Future"
    CUSTODY = types.InstrumentKind.CUSTODY.value, "Held in custody"


class SymbolStatus(models.TextChoices):
    """What the venue lets us do with it."""

    TRADABLE = "tradable", "Tradable"
    HALTED = "halted", "Halted by the venue"
    GONE = "gone", "No longer listed by the venue"


class Standing(models.TextChoices):
    """What the desk decided about it."""

    UNMAPPED = "unmapped", "Not mapped"
    PROPOSED = "proposed", "Proposed"
    MAPPED = "mapped", "Mapped"
    SUSPENDED = "suspended", "Suspended by the desk"
    NOT_TRADED = "not_traded", "Not traded by the desk"


class Terms(models.Model):
    """Steps and bounds of an order, as the venue states them."""

    price_tick = AmountField()
    quantity_step = AmountField()
    min_quantity = AmountField()
    min_notional = AmountField()
    status = models.CharField(
        "at the venue", max_length=10, choices=SymbolStatus, default=SymbolStatus.TRADABLE
    )

    class Meta:
        abstract = True


class ListingQuerySet(models.QuerySet["Listing"]):
    def listed(self) -> ListingQuerySet:
        """Those the venue still lists."""
        return self.filter(gone_at=None)


class Listing(Terms):
    """A symbol as its venue lists it. One that comes back after it was gone is listed anew."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="listings")
    symbol = models.CharField(max_length=80)
    said_base = models.CharField("base, says the venue", max_length=40)
    said_quote = models.CharField("quote, says the venue", max_length=40)
    kind = models.CharField(
        "instrument", max_length=10, choices=InstrumentKind, default=InstrumentKind.SPOT
    )
    contract_size = AmountField(
        default=1, help_text="How much of the base one unit of quantity is, multiplier and all."
    )
    standing = models.CharField(
        "at the desk", max_length=10, choices=Standing, default=Standing.UNMAPPED
    )
    why = models.CharField("because", max_length=500, blank=True)
    # What is asked about it now, or was last.
    request = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    listed_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField("gone since", null=True, blank=True)

    objects = ListingQuerySet.as_manager()

    class Meta:
        ordering = ["venue__name", "symbol"]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "symbol"], condition=Q(gone_at=None), name="listed_once_a_venue"
            ),
            models.CheckConstraint(
                condition=Q(standing__in=Standing.values), name="listing_standing_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=SymbolStatus.values), name="listing_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(contract_size__gt=0), name="listing_contract_size_positive"
            ),
            models.CheckConstraint(
                condition=~Q(standing__in=[Standing.SUSPENDED, Standing.NOT_TRADED]) | ~Q(why=""),
                name="listing_says_why_it_stopped",
            ),
            models.CheckConstraint(
                condition=Q(gone_at=None) | ~Q(standing=Standing.MAPPED),
                name="listing_that_is_gone_is_not_mapped",
            ),
        ]
        indexes = [models.Index(fields=["standing", "venue", "symbol"], name="listing_by_standing")]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.venue}"

    @property
    def key(self) -> str:
        return f"{self.venue.slug}:{self.symbol}"

    @property
    def why_not_traded(self) -> str:
        """Say why nobody adds exposure by it, and what to do about that."""
        why = self.why.rstrip(".")
        return {
            Standing.UNMAPPED.value: (
                f"Nobody said yet what {self} stands for. A steward maps it, and somebody else agrees."
            ),
            Standing.PROPOSED.value: (
                f"What {self} stands for waits for a second person. Trade it once they agree."
            ),
            Standing.SUSPENDED.value: (
                f"{self} is suspended: {why}. A steward asks to let it go on, and somebody else agrees."
            ),
            Standing.NOT_TRADED.value: (
                f"The desk does not trade {self}: {why}. A steward can take it up again."
            ),
        }.get(self.standing, "")


class VenueSymbolQuerySet(ClaimQuerySet):
    def current(self) -> VenueSymbolQuerySet:
        """Those in force now, of venues that are switched on."""
        return self.in_force().filter(venue__is_enabled=True)

    def in_force(self) -> VenueSymbolQuerySet:
        """Those that stand until further notice; none is ever recorded for a time to come."""
        return self.filter(valid_to=None, superseded_at=None)


class VenueSymbol(Terms, Claim):
    """What one venue's symbol stands for. At no pair of the two clocks does it stand for two things.

    The steps and the status follow the venue, and are no part of the claim.
    """

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="meanings")
    venue = models.ForeignKey("venues.Venue", on_delete=models.PROTECT, related_name="symbols")
    symbol = models.CharField(max_length=80)
    base = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="base_of")
    quote = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="quote_of")
    kind = models.CharField(
        "instrument", max_length=10, choices=InstrumentKind, default=InstrumentKind.SPOT
    )
    contract_size = AmountField(default=1)
    synced_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = VenueSymbolQuerySet.as_manager()

    class Meta(Claim.Meta):
        abstract = False
        ordering = ["venue__name", "symbol"]
        constraints = [
            *Claim.Meta.constraints,
            once("venue_symbol_means_one_thing", "venue", "symbol"),
            models.CheckConstraint(
                condition=Q(price_tick__gt=0) & Q(quantity_step__gt=0),
                name="venue_symbol_steps_positive",
            ),
            models.CheckConstraint(
                condition=Q(contract_size__gt=0), name="venue_symbol_contract_size_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=SymbolStatus.values), name="venue_symbol_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(base=F("quote")), name="venue_symbol_is_not_paid_with_itself"
            ),
        ]
        indexes = [
            models.Index(fields=["venue", "symbol", "recorded_at"], name="venue_symbol_by_name")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.venue}"

    @property
    def key(self) -> str:
        """The address of its book: venue and symbol."""
        return f"{self.venue.slug}:{self.symbol}"

    @property
    def is_in_force(self) -> bool:
        return self.valid_to is None and self.superseded_at is None

    @property
    def is_traded(self) -> bool:
        """Tell whether both the venue and the desk trade it."""
        return self.shown_status == SymbolStatus.TRADABLE

    @property
    def shown_status(self) -> str:
        """Say in one word what a list shows: what the desk stopped, or else what the venue says."""
        standing = self.listing.standing
        return str(self.status if standing == Standing.MAPPED else standing)
