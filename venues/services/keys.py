"""How an account gets a key: sealed first, and in use once a second person agreed to exactly this one.

The instruction carries the account, the key's id, a fingerprint of what is sealed, never the secret, and
what the venue says the key may do. The venue is asked before anybody else is, and again before the key
comes into use: another answer voids the approval. A key that can withdraw is refused unless that was
asked for in words of its own. Only an approved key comes into use, and retires the one before it in the
same moment. Retiring a key needs nobody else. A key that never came into use is forgotten when its
request is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.kinds import Kind
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Facts, State, ask, void
from cqops.platform.approvals.services.powers import carry_out, refuse_alone
from cqops.platform.approvals.states import OPEN
from cqops.platform.audit.services import record
from venues.adapters.registry import ADAPTERS
from venues.credentials import Parts, join, seal
from venues.models import Account, Credential, KeyTest
from venues.services.key_findings import findings_of
from venues.services.powers import ask_venue, exceeds, keep, said_of

KIND = "venues.credential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """As what a key is asked for."""

    is_spare: bool = False
    may_transfer: bool = False


IN_USE: Final = Terms()


class WaitsAlready(Refused):
    """A key of this account waits for a second person."""


class NotThisKey(Refused):
    """The venue says something about a key for which nobody is asked to agree to it."""


@sensitive_variables()
def propose_credential(
    *,
    account: Account,
    key_id: str,
    secret: str,
    by: User,
    more: Mapping[str, str] | None = None,
    terms: Terms = IN_USE,
) -> Request:
    """Seal a key, ask the venue what it may do, and a second person to agree that the account uses it.

    `more` is what this venue's key has beside an id and a secret, by the adapter's names.
    """
    demand(by, Action.VENUE_EDIT, account)
    _refuse_unlike(account, {"key_id": key_id, "secret": secret, **(more or {})})
    if account.credentials.waiting().exists():
        message = f"A key of {account} waits for a second person already. Retire it, or wait."
        raise WaitsAlready(message)
    credential = _sealed(account, key_id, Parts(secret, more or {}), terms)
    why = ask_venue(credential)
    _refuse_by_what_was_said(credential, why)
    return _ask(credential, by=by)


@transaction.atomic
def _ask(credential: Credential, *, by: User) -> Request:
    account = credential.account
    credential.save()
    after = {"waits": credential.pk, "said": said_of(credential)}
    record(action="credential.sealed", subject=account, after=after, by=by)
    request = ask(
        kind=KIND,
        subject_kind="venues.credential",
        subject_id=credential.pk,
        instruction=instruction_of(credential),
        snapshot=_seen(account),
        requested_by=by,
        facts=Facts(venue=account.venue.slug, account=account.name),
        title=f"A {'spare key' if credential.is_spare else 'key'} for {account}",
        about=credential,
        findings=findings_of(credential),
    )
    return refuse_alone(request)


def _refuse_by_what_was_said(credential: Credential, why: str) -> None:
    """Refuse what no second person is bothered with; nothing of it was kept."""
    if credential.test != KeyTest.ACCEPTED:
        message = f"{said_of(credential)} Nobody was asked, and nothing was kept. {why}"
        raise NotThisKey(message)
    if exceeds(credential):
        message = (
            "The venue says that this key can withdraw. Make one there that cannot, or ask for it with"
            ' "Allow it to withdraw" ticked: a second person then agrees to exactly that.'
        )
        raise NotThisKey(message)
    if credential.may_transfer and credential.can_transfer is False:
        message = "The venue says that this key cannot withdraw, so nobody has to allow it."
        raise NotThisKey(message)


@sensitive_variables()
def _refuse_unlike(account: Account, given: Mapping[str, str]) -> None:
    """Refuse what is not exactly a key of this venue, by the names of its parts alone."""
    asked = {field.name: field for field in ADAPTERS[account.venue.adapter].key_fields}
    missing = [
        field.label
        for field in asked.values()
        if field.is_required and not given.get(field.name, "").strip()
    ]
    unknown = sorted(given.keys() - asked.keys())
    if missing:
        message = f"A key of {account.venue} needs: {', '.join(missing)}."
        raise ValidationError(message)
    if unknown:
        message = f"A key of {account.venue} has no {', '.join(unknown)}."
        raise ValidationError(message)


@sensitive_variables()
def _sealed(account: Account, key_id: str, parts: Parts, terms: Terms) -> Credential:
    """Make the row of a key, not stored yet."""
    sealed = seal(join(parts))
    credential = Credential(
        account=account,
        environment_id=settings.ENVIRONMENT,
        key_id=key_id.strip(),
        wrapped_key=sealed.wrapped_key,
        sealed_secret=sealed.secret,
        is_spare=terms.is_spare,
        may_transfer=terms.may_transfer,
    )
    credential.full_clean(exclude=["wrapped_key", "sealed_secret"])
    return credential


@sensitive_variables()
@transaction.atomic
def seed_credential(
    *,
    account: Account,
    key_id: str,
    secret: str,
    more: Mapping[str, str] | None = None,
    terms: Terms = IN_USE,
) -> Credential:
    """Put a key in use where nobody is asked: the demo desk, and tests."""
    with seeding():
        credential = _sealed(account, key_id, Parts(secret, more or {}), terms)
        credential.save()
        _put_in_use(credential, by=None)
    return credential


def hold_account(account_id: UUID) -> Account:
    """Hold an account while its keys change places; orders of it go on being placed meanwhile."""
    return (
        Account.objects.select_for_update(of=("self",), no_key=True)
        .select_related("venue")
        .get(pk=account_id)
    )


def _put_in_use(credential: Credential, *, by: User | None) -> None:
    """Replace the key in use by this one, without a gap; a spare one replaces the spare."""
    account = hold_account(credential.account_id)
    place = account.credentials.spare() if credential.is_spare else account.credentials.in_use()
    retired = list(place.values_list("pk", flat=True))
    now = timezone.now()
    place.update(retired_at=now)
    credential.activated_at = now
    credential.used_from = None if credential.is_spare else now
    credential.save(update_fields=["activated_at", "used_from"])
    # Which key replaced which; the key itself and its id at the venue stay in the vault.
    name = "spare" if credential.is_spare else "in_use"
    record(
        action="credential.stored",
        subject=account,
        before={name: retired},
        after={name: [credential.pk]},
        by=by,
    )


def instruction_of(credential: Credential) -> Content:
    if credential.retired_at is not None:
        return {"Key": "retired"}
    at_once = "at once, in the place of the one in use"
    return {
        "Account": str(credential.account),
        "Key id": credential.key_id,
        "Fingerprint": fingerprint(credential),
        "Comes into use": "as the spare key" if credential.is_spare else at_once,
        "Withdrawals": "allowed" if credential.may_transfer else "not allowed",
        "The venue says": said_of(credential),
    }


def fingerprint(credential: Credential) -> str:
    """Name what is sealed without telling anything about it: another secret has another one."""
    return hashlib.sha256(bytes(credential.sealed_secret)).hexdigest()[:16]


def _seen(account: Account) -> Content:
    in_use, spare = account.credentials.in_use().first(), account.credentials.spare().first()
    return {
        "Key in use now": in_use.key_id if in_use else "none",
        "Spare key now": spare.key_id if spare else "none",
    }


def _read(credential_id: str) -> Credential:
    return Credential.objects.select_related("account__venue").get(pk=credential_id)


def instruction_now(credential_id: str) -> Content:
    return instruction_of(_read(credential_id))


def seen_now(credential_id: str) -> Content:
    return _seen(_read(credential_id).account)


def settle(request: Request) -> None:
    """Put an approved key in use; one that came to nothing is retired and its secret dropped.

    Another answer of the venue than the one that was agreed to changes the instruction, and so voids it.
    """
    credential = _read(request.subject_id)
    if request.state == State.APPROVED and credential.activated_at is None:
        ask_venue(credential)
        keep(credential, by=None)
    _settle(request, account_id=credential.account_id)


@transaction.atomic
def _settle(request: Request, *, account_id: UUID) -> None:
    hold_account(account_id)
    credential = (
        Credential.objects.select_for_update(of=("self",))
        .select_related("account__venue")
        .get(pk=request.subject_id)
    )
    carry_out(
        request,
        instruction=instruction_of(credential),
        act=lambda: _put_in_use(credential, by=request.requested_by),
    )
    is_over = State(Request.objects.get(pk=request.pk).state) not in OPEN
    if is_over and credential.activated_at is None:
        _forget(credential)


def _forget(credential: Credential) -> None:
    credential.retired_at = credential.retired_at or timezone.now()
    credential.wrapped_key = credential.sealed_secret = b""
    credential.save(update_fields=["retired_at", "wrapped_key", "sealed_secret"])


@transaction.atomic
def retire_credential(*, credential: Credential, by: User) -> None:
    """Take a key out of use, or take back one that waits."""
    found = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    demand(by, Action.VENUE_EDIT, found)
    if found.retired_at is not None:
        return
    found.retired_at = timezone.now()
    found.save(update_fields=["retired_at"])
    record(action="credential.retired", subject=found.account, before={"key": found.pk}, by=by)
    end_requests(found, reason="The key was taken back.", by=by)


def end_requests(credential: Credential, *, reason: str, by: User) -> None:
    """Take back what is still being asked about a key."""
    waiting = Request.objects.filter(kind=KIND, subject_id=str(credential.pk), state__in=OPEN)
    for key in waiting.values_list("pk", flat=True):
        void(request_id=key, reason=reason, by=by)


def page_of(credential_id: str) -> str:
    return reverse("admin:venues_credential_change", args=[credential_id])


key_kind = Kind(
    label="Key of an account",
    asks=Action.VENUE_EDIT,
    decides=Action.KEY_APPROVE,
    settle=settle,
    instruction=instruction_now,
    now=seen_now,
    page=page_of,
    tells=frozenset({"venue", "account"}),
)
