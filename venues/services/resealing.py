"""Wraps every credential anew under the newest of CREDENTIAL_KEYS, so that an older one can go.

Only the wrapping around a data key changes: the sealed secret, what was agreed to about it, and every
client that is open stay as they are, so orders flow meanwhile. Each credential is a transaction of its
own, and a run that was broken off is simply started again.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Length

from cqops.platform.audit.services import record
from venues.credentials import CannotOpen, Sealed, rewrap
from venues.models import Credential


@dataclass(frozen=True, slots=True)
class Resealed:
    """How it went; what cannot be opened is named by its row, for somebody to look at."""

    wrapped: int
    empty: int
    cannot_open: tuple[UUID, ...]


def reseal() -> Resealed:
    """Wrap all of them: those in use, those that wait, and those that were retired."""
    kept = Credential.objects.annotate(size=Length("sealed_secret"))
    rows = list(kept.order_by("created_at").values_list("pk", "size"))
    unopened = tuple(key for key, size in rows if size and not _wrap_anew(key))
    empty = sum(not size for _, size in rows)
    done = Resealed(len(rows) - empty - len(unopened), empty, unopened)
    record(
        action="credentials.resealed",
        subject_kind="venues.credential",
        after={"wrapped": done.wrapped, "empty": empty, "cannot_open": list(unopened)},
    )
    return done


@transaction.atomic
def _wrap_anew(key: UUID) -> bool:
    row = Credential.objects.select_for_update().get(pk=key)
    if not row.sealed_secret:
        # Forgotten since the list was made: there is nothing left to open.
        return True
    try:
        fresh = rewrap(Sealed(bytes(row.wrapped_key), bytes(row.sealed_secret)))
    except CannotOpen:
        return False
    row.wrapped_key = fresh.wrapped_key
    row.save(update_fields=["wrapped_key"])
    return True
