"""A key that may be known to somebody else: unused from this second, by the word of one person.

It only takes risk away, so nobody else is asked. Every process reads which key is in use before it sends,
and the leaked one's door is shut for calls that are on their way already. The account goes on with its
spare key where it has one, and is switched off where it has none. Nothing here is taken back: a key that
was reported by mistake is replaced by a new one.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.errors import Refused
from cqops.platform.audit.services import record
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.models import Account, Credential
from venues.services.clients import stop_key
from venues.services.keys import end_requests, hold_account
from venues.services.registration import save_account

ON_SPARE = "The account goes on with its spare key."
SWITCHED_OFF = "The account has no spare key and is switched off."
AS_BEFORE = "It was not in use, so the account goes on as before."


class NoSpare(Refused):
    """There is no spare key to use."""


@transaction.atomic
def report_leak(*, credential: Credential, by: User) -> str:
    """Take a key out of use for good, and say what became of its account."""
    demand(by, Action.SWITCH_STOP, credential)
    account = hold_account(credential.account_id)
    found = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    if found.leaked_at is not None:
        return "This key was reported before."
    was_in_use = found.is_in_use
    now = timezone.now()
    found.leaked_at = now
    found.retired_at = found.retired_at or now
    found.save(update_fields=["leaked_at", "retired_at"])
    then = _go_on(account, by=by) if was_in_use else AS_BEFORE
    after = {"key": found.pk, "then": then}
    record(action="credential.leaked", subject=account, after=after, by=by)
    end_requests(found, reason="The key was reported as leaked.", by=by)
    found.account = account
    transaction.on_commit(partial(stop_key, found))
    _tell(account, then, by=by)
    return then


def _go_on(account: Account, *, by: User) -> str:
    """Move an account that lost its key to the spare one, or switch it off."""
    spare = account.credentials.spare().select_for_update(of=("self",)).first()
    if spare is not None:
        _begin_use(spare, account, by=by)
        return ON_SPARE
    account.is_enabled = False
    save_account(account=account)
    return SWITCHED_OFF


def _begin_use(spare: Credential, account: Account, *, by: User) -> None:
    spare.is_spare = False
    spare.used_from = timezone.now()
    spare.save(update_fields=["is_spare", "used_from"])
    after = {"in_use": [spare.pk]}
    record(action="credential.spare_used", subject=account, after=after, by=by)


def _tell(account: Account, then: str, *, by: User) -> None:
    words = (
        f"A key of {account} was reported as leaked by {by.name}. {then} Revoke it at the venue."
    )
    labels = {"account": account.name, "venue": account.venue.slug}
    tell("key.leaked", words, severity=Severity.URGENT, labels=labels)


@transaction.atomic
def use_spare(*, account: Account, by: User) -> Credential:
    """Put the spare key in the place of the one in use; that it may, was agreed to when it came."""
    demand(by, Action.VENUE_EDIT, account)
    held = hold_account(account.pk)
    spare = held.credentials.spare().select_for_update(of=("self",)).first()
    if spare is None:
        message = f"{account} has no spare key. Ask for one first."
        raise NoSpare(message)
    in_use = held.credentials.in_use()
    retired = list(in_use.values_list("pk", flat=True))
    in_use.update(retired_at=timezone.now())
    _begin_use(spare, held, by=by)
    if retired:
        record(action="credential.retired", subject=held, before={"key": retired[0]}, by=by)
    return spare


@transaction.atomic
def confirm_revoked(*, credential: Credential, by: User) -> None:
    """Write down that a leaked key was revoked at the venue, where only people can do it."""
    demand(by, Action.SWITCH_STOP, credential)
    found = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    if found.leaked_at is None or found.revoked_at is not None:
        return
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    record(action="credential.revoked", subject=found.account, after={"key": found.pk}, by=by)
