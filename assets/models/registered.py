"""What assets, chains and groups have alike: one version at a time, and an end with a reason."""

from __future__ import annotations

from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q

WEB = URLValidator(schemes=["https", "http"])


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

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None
