"""How an account gets a key: sealed first, and in use once a second person agreed to exactly this one.

The instruction carries the account, the key's id and a fingerprint of what is sealed, never the secret.
Only an approved key comes into use, and retires the one before it in the same moment. Retiring a key
needs nobody else. A key that never came into use is forgotten when its request is over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

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
from venues.models import Account, Credential

KIND = "venues.credential"


class WaitsAlready(Refused):
    """A key of this account waits for a second person."""


@sensitive_variables()
@transaction.atomic
def propose_credential(
    *,
    account: Account,
    key_id: str,
    secret: str,
    by: User,
    more: Mapping[str, str] | None = None,
) -> Request:
    """Seal a key, and ask a second person to agree that the account uses it from then on.

    `more` is what this venue's key has beside an id and a secret, by the adapter's names.
    """
    demand(by, Action.VENUE_EDIT, account)
    _refuse_unlike(account, {"key_id": key_id, "secret": secret, **(more or {})})
    if account.credentials.waiting().exists():
        message = f"A key of {account} waits for a second person already. Retire it, or wait."
        raise WaitsAlready(message)
    credential = _sealed(account, key_id, Parts(secret, more or {}))
    record(action="credential.sealed", subject=account, after={"waits": credential.pk}, by=by)
    request = ask(
        kind=KIND,
        subject_kind="venues.credential",
        subject_id=credential.pk,
        instruction=instruction_of(credential),
        snapshot=_seen(account),
        requested_by=by,
        facts=Facts(venue=account.venue.slug, account=account.name),
        title=f"A key for {account}",
        about=credential,
    )
    return refuse_alone(request)


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
def _sealed(account: Account, key_id: str, parts: Parts) -> Credential:
    sealed = seal(join(parts))
    credential = Credential(
        account=account,
        environment_id=settings.ENVIRONMENT,
        key_id=key_id.strip(),
        wrapped_key=sealed.wrapped_key,
        sealed_secret=sealed.secret,
    )
    credential.full_clean(exclude=["wrapped_key", "sealed_secret"])
    credential.save()
    return credential


@sensitive_variables()
def seed_credential(
    *, account: Account, key_id: str, secret: str, more: Mapping[str, str] | None = None
) -> Credential:
    """Put a key in use where nobody is asked: the demo desk, and tests."""
    with seeding():
        credential = _sealed(account, key_id, Parts(secret, more or {}))
        _put_in_use(credential, by=None)
    return credential


def _put_in_use(credential: Credential, *, by: User | None) -> None:
    """Replace the key in use by this one, without a gap."""
    account = Account.objects.select_for_update().get(pk=credential.account_id)
    now = timezone.now()
    in_use = account.credentials.in_use()
    retired = list(in_use.values_list("pk", flat=True))
    in_use.update(retired_at=now)
    credential.activated_at = now
    credential.save(update_fields=["activated_at"])
    # Which key replaced which; the key itself and its id at the venue stay in the vault.
    record(
        action="credential.stored",
        subject=account,
        before={"in_use": retired},
        after={"in_use": [credential.pk]},
        by=by,
    )


def instruction_of(credential: Credential) -> Content:
    if credential.retired_at is not None:
        return {"Key": "retired"}
    return {
        "Account": str(credential.account),
        "Key id": credential.key_id,
        "Fingerprint": fingerprint(credential),
    }


def fingerprint(credential: Credential) -> str:
    """Name what is sealed without telling anything about it: another secret has another one."""
    return hashlib.sha256(bytes(credential.sealed_secret)).hexdigest()[:16]


def _seen(account: Account) -> Content:
    found = account.credentials.in_use().first()
    return {"Key in use now": found.key_id if found else "none"}


def _read(credential_id: str) -> Credential:
    return Credential.objects.select_related("account__venue").get(pk=credential_id)


def instruction_now(credential_id: str) -> Content:
    return instruction_of(_read(credential_id))


def seen_now(credential_id: str) -> Content:
    return _seen(_read(credential_id).account)


@transaction.atomic
def settle(request: Request) -> None:
    """Put an approved key in use; one that came to nothing is retired and its secret dropped."""
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
    waiting = Request.objects.filter(kind=KIND, subject_id=str(found.pk), state__in=OPEN)
    for key in waiting.values_list("pk", flat=True):
        void(request_id=key, reason="The key was taken back.", by=by)


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
