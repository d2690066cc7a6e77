"""A list that was brought in: the file, what became of each of its lines, and who answered for it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from assets.imports import Format

PERSON = settings.AUTH_USER_MODEL


class ImportState(models.TextChoices):
    """Where a batch has come to. It is read, then looked at, then applied or given up."""

    MAPPING = "mapping", "Columns to choose"
    CHECKING = "checking", "Being read"
    READY = "ready", "Read, nothing applied"
    ASKED = "asked", "Waits for a second person"
    APPLYING = "applying", "Being applied"
    APPLIED = "applied", "Applied"
    UNDO_ASKED = "undo_asked", "Undo waits for a second person"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    UNREADABLE = "unreadable", "Cannot be read"
    DROPPED = "dropped", "Given up"


# What a worker has to do.
AT_WORK = frozenset({ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING})
# What was read may still be read anew; in any other state the database keeps it as it is.
BEFORE_ASKING = frozenset({ImportState.MAPPING, ImportState.CHECKING, ImportState.READY})


class ImportBatch(models.Model):
    """One file of one source. What is asked for, applied and undone is exactly its lines, by their digest."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=120, help_text="Whose list it is.")
    file_name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)
    content = models.BinaryField(editable=False)
    form = models.CharField("format", max_length=8, choices=[(one, one) for one in Format])
    mapping = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=12, choices=ImportState)
    words = models.CharField(max_length=500, blank=True, help_text="What went otherwise.")
    attempts = models.PositiveSmallIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    leaves_errors_out = models.BooleanField(default=False)
    reason = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, null=True, related_name="+")
    undo_approval = models.ForeignKey(
        "approvals.Request", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-uploaded_at"]
        verbose_name = "import"
        constraints = [
            models.CheckConstraint(condition=~Q(source=""), name="import_has_a_source"),
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="import_state_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["-uploaded_at", "-id"], name="import_by_time"),
            models.Index(
                fields=["moved_at"],
                condition=Q(state__in=sorted(AT_WORK)),
                name="import_at_work",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.file_name}"

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def is_table(self) -> bool:
        return self.form in {Format.CSV, Format.XLSX}


class Outcome(models.TextChoices):
    ERROR = "error", "Error"
    CONFLICTING = "conflicting", "Conflicting"
    CHANGED = "changed", "Changed"
    NEW = "new", "New"
    IGNORED = "ignored", "Ignored"


class Deed(models.TextChoices):
    """What applying a line does; each is one thing in the registry."""

    ASSET = "asset", "new asset"
    IDENTIFIER = "identifier", "new identifier"
    CONTRACT = "contract", "new contract"
    NAME = "name", "name changed"
    TICKER = "ticker", "ticker changed"
    CORRECTION = "correction", "contract changed"


class ImportRow(models.Model):
    """One line of a list: what it says, what that comes to here, and why.

    The ids of what it will make are given when it is judged, so that an approval covers them. Once
    it is asked for, the database lets nothing of it be changed.
    """

    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="rows")
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    place = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    asset_ref = models.UUIDField(null=True)
    symbol = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=16, blank=True)
    category = models.CharField(max_length=40, blank=True)
    coingecko = models.CharField(max_length=120, blank=True)
    coinmarketcap = models.CharField(max_length=120, blank=True)
    defillama = models.CharField(max_length=120, blank=True)
    chain = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=120, blank=True)
    decimals = models.PositiveSmallIntegerField(null=True)
    is_canonical = models.BooleanField(default=False)

    outcome = models.CharField(max_length=11, choices=Outcome, blank=True)
    words = models.CharField(max_length=500, blank=True)
    deeds = ArrayField(models.CharField(max_length=10), default=list)
    # What an asset is found by here; empty where the line makes one.
    known_id = models.UUIDField(null=True)
    asset_id = models.UUIDField(null=True)
    # Which version the asset is at once the line was applied: until that moves on, the source may.
    asset_version = models.PositiveIntegerField(null=True)
    deployment_id = models.UUIDField(null=True)
    # What it takes the place of, so that it can be put back.
    former_deployment_id = models.UUIDField(null=True)
    former_alias_id = models.UUIDField(null=True)
    former_name = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["batch", "number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once"),
        ]
        indexes = [
            models.Index(fields=["batch", "outcome", "number"], name="import_row_by_outcome"),
            models.Index(
                fields=["deployment_id"],
                condition=Q(deployment_id__isnull=False),
                name="import_row_by_deployment",
            ),
            models.Index(
                fields=["former_deployment_id"],
                condition=Q(former_deployment_id__isnull=False),
                name="import_row_by_former",
            ),
            models.Index(
                fields=["asset_id"],
                condition=Q(asset_version__isnull=False),
                name="import_row_by_asset",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of {self.batch_id}"

    @property
    def deed_words(self) -> str:
        return ", ".join(str(Deed(deed).label) for deed in self.deeds)
