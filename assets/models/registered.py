"""What assets, chains and groups have alike: one version at a time, and an end with a reason."""

from __future__ import annotations

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q

WEB = URLValidator(schemes=["https", "http"])
MOST_METADATA = 100_000
DEEPEST = 20


class Registered(models.Model):
    """A thing with an identity. It is retired, never deleted; names and metadata have plain history.

    The version grows by one with every change, so that of two editors the second is told. The
    database refuses any other step, and every deletion.
    """

    version = models.PositiveIntegerField(default=1)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_reason = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_reason="")
                | (Q(retired_at__isnull=False) & ~Q(retired_reason="")),
                name="%(class)s_retires_with_a_reason",
            )
        ]

    def clean(self) -> None:
        try:
            refuse_unkept(self.metadata)
        except ValidationError as error:
            raise ValidationError({"metadata": error.messages}) from error

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


def refuse_unkept(metadata: Any) -> None:
    """Refuse what is no JSON object that PostgreSQL keeps and every reader reads."""
    if not isinstance(metadata, dict):
        message = 'Metadata is a JSON object, as in {"website": "https://example.org"}.'
        raise ValidationError(message)
    if not _can_be_kept(metadata, DEEPEST) or len(str(metadata)) > MOST_METADATA:
        message = (
            "Text without control characters and finite numbers,"
            f" at most {MOST_METADATA} characters in all."
        )
        raise ValidationError(message)


def _can_be_kept(value: Any, depth: int) -> bool:
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= one <= "\udfff" for one in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return depth > 0 and all(
            _can_be_kept(key, 0) and _can_be_kept(one, depth - 1) for key, one in value.items()
        )
    if isinstance(value, list):
        return depth > 0 and all(_can_be_kept(one, depth - 1) for one in value)
    return True
