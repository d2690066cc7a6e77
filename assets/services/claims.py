"""How a claim is recorded, ended and corrected: always by a further claim, in one moment.

Callers hold what the claim is about (`holding`) before they read what stands, so that two
of them never decide by the same reading. What PostgreSQL refuses is told in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from assets.errors import Conflict, Stale
from assets.models import Claim
from assets.models.registered import Registered
from cqops.platform.access.models import User
from cqops.platform.audit.services import record

C = TypeVar("C", bound=Claim)
_OF_THE_RECORD = {
    *("id", "recorded_at", "superseded_at", "recorded_by", "approval", "batch", "source"),
}


def recorded(
    claim: C, *, by: User | None, approval: UUID | None = None, at: datetime | None = None
) -> C:
    """Store a new claim."""
    if claim.valid_from and claim.valid_to and claim.valid_to <= claim.valid_from:
        raise ValidationError({"valid_to": "It ends after it began, not before."})
    claim.recorded_at = at or timezone.now()
    claim.recorded_by = by
    claim.approval_id = approval
    # Constraints are left to the database, which also sees what others write at this moment.
    claim.full_clean(validate_constraints=False, exclude=["recorded_by", "approval", "batch"])
    claim.save(force_insert=True)
    return claim


def superseded(claim: C) -> datetime:
    """End what was known, and return the moment, which is when anything in its place is recorded."""
    found = type(claim).objects.select_for_update(of=("self",)).get(pk=claim.pk)
    if found.superseded_at is not None:
        message = f"{claim} was changed by somebody meanwhile. Look again."
        raise Stale(message, found)
    now: datetime = max(timezone.now(), found.recorded_at)
    claim.superseded_at = now
    claim.save(update_fields=["superseded_at"])
    return now


def changed(
    claim: C,
    *,
    since: datetime | None,
    changes: Mapping[str, Any],
    by: User | None,
    source: str,
    approval: UUID | None = None,
) -> C:
    """Let a claim say something else from a moment on; without one it never was as it says."""
    if since is not None:
        refuse_past_its_end(claim, since)
    now = superseded(claim)
    if since is not None and (claim.valid_from is None or since > claim.valid_from):
        _again(claim, {"valid_to": since}, at=now, by=by, approval=approval, source=claim.source)
        changes = {"valid_from": since, **changes}
    return _again(claim, changes, at=now, by=by, approval=approval, source=source)


def ended(
    claim: C, *, at: datetime, by: User | None, source: str, approval: UUID | None = None
) -> C | None:
    """Let a claim be true until a moment; one that would never have been true is taken back."""
    refuse_past_its_end(claim, at)
    now = superseded(claim)
    if claim.valid_from is not None and at <= claim.valid_from:
        return None
    return _again(claim, {"valid_to": at}, at=now, by=by, approval=approval, source=source)


def end_claim(
    claim: C, *, action: str, subject: Registered, at: datetime, reason: str, by: User
) -> C | None:
    """End what one person may end, and say so in the audit."""
    before = said(claim)
    found = ended(claim, at=at, by=by, source=by.name)
    after = {"valid_to": at}
    record(action=action, subject=subject, before=before, after=after, reason=reason, by=by)
    return found


def refuse_past_its_end(claim: Claim, at: datetime) -> None:
    """Keep an end that is known: ending again does not make it later."""
    if claim.valid_to is not None and at >= claim.valid_to:
        message = f"{claim} ends at {claim.valid_to.isoformat()} already."
        raise Conflict(message, claim)


def _again(
    claim: C,
    changes: Mapping[str, Any],
    *,
    at: datetime,
    by: User | None,
    approval: UUID | None,
    source: str,
) -> C:
    model = type(claim)
    kept = {
        field.attname: getattr(claim, field.attname)
        for field in model._meta.concrete_fields
        if field.name not in _OF_THE_RECORD and not field.generated
    }
    return recorded(model(**{**kept, **changes, "source": source}), by=by, approval=approval, at=at)


def said(claim: Claim) -> dict[str, Any]:
    """List what a claim says, for the audit."""
    names = {
        field.name
        for field in claim._meta.concrete_fields
        if field.name not in _OF_THE_RECORD - {"source"} and not field.generated
    }
    values = model_to_dict(claim, fields=names)
    return {name: value for name, value in values.items() if value not in {None, ""}}


@contextmanager
def telling(words: Mapping[str, str]) -> Iterator[None]:
    """Tell what a constraint refuses, by its name, in words; the block is taken back alone."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = constraint_of(error)
        if name not in words:
            raise
        raise Conflict(words[name]) from error


def constraint_of(error: IntegrityError) -> str:
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""
