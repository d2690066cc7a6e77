from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from cqops.platform.installation.models import Installation
from venues.archive import ArchiveDay, MarketWindow, RawFrame, WindowState
from venues.condition import DriftReport, Maintenance, VenueHealth
from venues.symbols import InstrumentKind, Listing, Standing, SymbolStatus, VenueSymbol

__all__ = [
    "Account",
    "ArchiveDay",
    "Credential",
    "DriftReport",
    "InstrumentKind",
    "Listing",
    "Maintenance",
    "MarketWindow",
    "RawFrame",
    "Standing",
    "SymbolStatus",
    "Venue",
    "VenueHealth",
    "VenueSymbol",
    "WindowState",
]


class Venue(models.Model):
    """A place to trade. It belongs to this kind of installation or the database refuses it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    adapter = models.CharField(max_length=40, help_text="Which venue protocol it speaks.")
    environment = models.ForeignKey(
        Installation, on_delete=models.PROTECT, db_column="environment", related_name="+"
    )
    rest_url = models.CharField(max_length=300)
    ws_url = models.CharField(max_length=300)
    ws_user_url = models.CharField(max_length=300, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """One account at one venue."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="accounts")
    name = models.CharField(max_length=80)
    environment = models.ForeignKey(
        Installation, on_delete=models.PROTECT, db_column="environment", related_name="+"
    )
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["venue__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "name"], name="account_name_once_a_venue")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.venue})"


class CredentialQuerySet(models.QuerySet["Credential"]):
    def in_use(self) -> CredentialQuerySet:
        return self.filter(activated_at__isnull=False, retired_at=None, is_spare=False)

    def spare(self) -> CredentialQuerySet:
        return self.filter(activated_at__isnull=False, retired_at=None, is_spare=True)

    def waiting(self) -> CredentialQuerySet:
        return self.filter(activated_at=None, retired_at=None)


class KeyTest(models.TextChoices):
    """How the last test of a key went."""

    NEVER = "", "Never tried"
    ACCEPTED = "accepted", "The venue takes it"
    REFUSED = "refused", "The venue refuses it"
    SILENT = "silent", "The venue did not answer"


class Credential(models.Model):
    """A venue key, sealed. It waits for a second person, is in use or spare, and is retired for good.

    The secret is encrypted by a key of its own, and that key by the installation's; nothing here
    can be read without `venues.credentials`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credentials")
    environment = models.ForeignKey(
        Installation, on_delete=models.PROTECT, db_column="environment", related_name="+"
    )
    key_id = models.CharField(max_length=200)
    wrapped_key = models.BinaryField(editable=False)
    sealed_secret = models.BinaryField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_spare = models.BooleanField(
        "spare",
        default=False,
        help_text="Kept for the moment the key in use is leaked or fails; not used before.",
    )
    may_transfer = models.BooleanField(
        "allowed to withdraw",
        default=False,
        help_text="A second person agreed that this key can move money out of the account.",
    )
    used_from = models.DateTimeField("in use from", null=True, blank=True, editable=False)
    leaked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField("revoked at the venue", null=True, blank=True, editable=False)
    # What the venue said of it when it was last asked; None is what it does not say.
    tested_at = models.DateTimeField(null=True, blank=True, editable=False)
    test = models.CharField(max_length=8, choices=KeyTest, blank=True, editable=False)
    can_view = models.BooleanField(null=True, editable=False)
    can_trade = models.BooleanField(null=True, editable=False)
    can_transfer = models.BooleanField("can withdraw", null=True, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(retired_at=None, activated_at__isnull=False, is_spare=False),
                name="one_credential_in_use_an_account",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(retired_at=None, activated_at__isnull=False, is_spare=True),
                name="one_credential_spare_an_account",
            ),
            models.CheckConstraint(
                condition=Q(leaked_at=None) | Q(retired_at__isnull=False),
                name="leaked_credential_is_retired",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(retired_at=None, activated_at=None),
                name="one_credential_waits_an_account",
            ),
            # One that never came into use may be tried again.
            models.UniqueConstraint(
                fields=["account", "key_id"],
                condition=Q(retired_at=None) | Q(activated_at__isnull=False),
                name="credential_key_once",
            ),
        ]

    def __str__(self) -> str:
        return f"key of {self.account}"

    @property
    def is_in_use(self) -> bool:
        return self.activated_at is not None and self.retired_at is None and not self.is_spare

    @property
    def standing(self) -> str:
        """Say in a word or two where it stands."""
        if self.leaked_at is not None:
            return "leaked"
        if self.retired_at is not None:
            return "retired" if self.activated_at else "never used"
        if self.activated_at is None:
            return "waits"
        return "spare" if self.is_spare else "in use"
