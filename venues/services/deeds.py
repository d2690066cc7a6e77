"""What an account did while one key was in use, for whoever has to find out what a leaked key was used for.

Each app that acts at venues tells its own part, named in settings.KEY_DEEDS. What somebody else did with
the key stands only at the venue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from cqops.platform.access.models import User
from cqops.platform.audit.models import Entry
from venues.models import Account, Credential

SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    at: datetime
    words: str
    who: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """One kind of thing that was done: how often, and the latest of it."""

    title: str
    count: int
    latest: Sequence[Deed]


Tells = Callable[[Account, datetime, datetime, User], Sequence[Deeds]]


def deeds_of(credential: Credential, *, by: User) -> list[Deeds]:
    """Gather what was done from the moment the key came into use until it was taken out."""
    since, until = credential.used_from, credential.retired_at or timezone.now()
    if since is None:
        return []
    tellers: list[Tells] = [import_string(path) for path in settings.KEY_DEEDS]
    return [deeds for tell in tellers for deeds in tell(credential.account, since, until, by)]


def history_of(credential: Credential) -> list[Deed]:
    """List what people did with the key itself, from the audit log."""
    entries = Entry.objects.filter(
        action__startswith="credential.", subject_id=str(credential.account_id)
    ).order_by("id")
    mine = str(credential.pk)
    found: list[Deed] = []
    for entry in entries:
        is_replaced = mine in str(entry.before) and entry.action == "credential.stored"
        words = "Replaced by another" if is_replaced else _HISTORY.get(entry.action, "")
        if words and mine in f"{entry.before} {entry.after}":
            found.append(Deed(at=entry.at, words=words, who=entry.who))
    return found


_HISTORY = {
    "credential.sealed": "Sealed, and a second person asked",
    "credential.stored": "Stored for use",
    "credential.spare_used": "Came into use in the place of another",
    "credential.tested": "The venue was asked what it may do",
    "credential.retired": "Taken out of use",
    "credential.leaked": "Reported as leaked",
    "credential.revoked": "Said to be revoked at the venue",
}
