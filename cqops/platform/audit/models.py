"""The log, its seals and its reviews. All only grow, and the database itself holds them to it."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast

from cqops.platform.audit import chain
from cqops.platform.audit.context import Door


class Entry(models.Model):
    """One change, decision, refusal or export, written in the transaction it belongs to."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    who_id = models.CharField(max_length=36, blank=True)
    who = models.CharField(max_length=150, blank=True)
    roles = models.CharField(max_length=200, blank=True)
    door = models.CharField(max_length=8, choices=[(d.value, d.value.title()) for d in Door])
    origin = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=64, blank=True)
    subject_id = models.CharField(max_length=200, blank=True)
    subject_text = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    trace_id = models.CharField(max_length=64, blank=True)
    decision_id = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    # Tells the sequencer up to where no transaction can still add anything.
    transaction = models.BigIntegerField(
        editable=False,
        db_default=Cast(
            Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()
        ),
    )

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(condition=~Q(action=""), name="audit_entry_names_its_action")
        ]
        indexes = [
            models.Index(
                F("subject_kind"), F("subject_id"), F("id").desc(), name="audit_by_subject"
            ),
            models.Index(F("who"), F("id").desc(), name="audit_by_person"),
            models.Index(F("action"), F("id").desc(), name="audit_by_action"),
            models.Index(
                fields=["request_id"], condition=~Q(request_id=""), name="audit_by_request"
            ),
            models.Index(fields=["transaction"], name="audit_by_transaction"),
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_text}".strip()

    def content(self) -> dict[str, Any]:
        """Return what the hash covers, as it is hashed."""
        found = {name: getattr(self, name) for name in chain.CONTENT}
        return {**found, "at": chain.moment(self.at)}


class Seal(models.Model):
    """The place of one entry in the chain.

    Without a foreign key in the database: a seal must outlive an entry that somebody deletes, to
    say that it is gone.
    """

    sequence = models.BigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(unique=True)
    entry_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()
    seal_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"seal {self.sequence}"

    def link(self) -> chain.Link:
        return chain.Link(
            sequence=self.sequence,
            entry_id=self.entry_id,
            entry_hash=self.entry_hash,
            previous_hash=self.previous_hash,
            sealed_at=chain.moment(self.sealed_at),
            seal_hash=self.seal_hash,
        )


class Review(models.Model):
    """That the chain was verified or anchored, what came out, and where its head stood.

    So every review is an anchor itself, inside: weaker than the file, and there when the file is not.
    """

    class Kind(models.TextChoices):
        VERIFIED = "verified", "Verified"
        ANCHORED = "anchored", "Anchored"

    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    is_good = models.BooleanField()
    sequence = models.BigIntegerField()
    seal_hash = models.CharField(max_length=64, blank=True)
    words = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(F("kind"), F("id").desc(), name="audit_review_latest")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M:%S}"
