"""The pages of an account's keys: what each may do, and what to do when one is leaked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.freshness import requires_fresh
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from venues.models import Account, Credential
from venues.services.deeds import SHOWN, deeds_of, history_of
from venues.services.leaks import NoSpare, confirm_revoked, report_leak, use_spare
from venues.services.powers import exceeds, objection_to_trading, said_of, try_connection


def _accounts(request: DeskRequest) -> QuerySet[Account]:
    return allowed_rows(request.user, Action.VENUE_VIEW, Account.objects.select_related("venue"))


def _key(request: DeskRequest, key_id: UUID) -> Credential:
    rows = Credential.objects.select_related("account__venue")
    return get_object_or_404(allowed_rows(request.user, Action.VENUE_VIEW, rows), pk=key_id)


def _powers(request: DeskRequest, account: Account) -> dict[str, bool]:
    return {
        "may_edit": may(request.user, Action.VENUE_EDIT, account),
        "may_stop": may(request.user, Action.SWITCH_STOP, account),
    }


@requires(Action.VENUE_VIEW)
def account_keys(request: DeskRequest, account_id: UUID) -> HttpResponse:
    account = get_object_or_404(_accounts(request), pk=account_id)
    keys = account.credentials.select_related("account__venue")
    held = [key for key in keys if key.retired_at is None]
    order = ["in use", "spare", "waits"]
    held.sort(key=lambda key: order.index(key.standing))
    context = {
        "account": account,
        "held": [(key, said_of(key)) for key in held],
        "past": [key for key in keys if key.retired_at is not None],
        "in_use": next((key for key in held if key.is_in_use), None),
        "spare": next((key for key in held if key.standing == "spare"), None),
        "objection": objection_to_trading(account),
        **_powers(request, account),
    }
    return render(request, "venues/account.html", context)


@requires(Action.VENUE_VIEW)
def key(request: DeskRequest, key_id: UUID) -> HttpResponse:
    found = _key(request, key_id)
    context = {
        "key": found,
        "account": found.account,
        "said": said_of(found),
        "exceeds": exceeds(found),
        "now_in_use": found.account.credentials.in_use().first(),
        "spare": found.account.credentials.spare().first(),
        "deeds": deeds_of(found, by=request.user),
        "history": history_of(found),
        "shown": SHOWN,
        "checked_at": timezone.now(),
        **_powers(request, found.account),
    }
    return render(request, "venues/key.html", context)


@require_POST
@requires(Action.VENUE_EDIT)
def tested(request: DeskRequest, key_id: UUID) -> HttpResponse:
    """Ask the venue what a key may do."""
    found = _key(request, key_id)
    messages.info(request, try_connection(credential=found, by=request.user))
    return redirect("key", key_id=key_id)


@requires_fresh(Action.SWITCH_STOP)
def leaked(request: DeskRequest, key_id: UUID) -> HttpResponse:
    """Stop a key for good; who comes back from proving who they are, presses the button again."""
    found = _key(request, key_id)
    if request.method == "POST":
        then = report_leak(credential=found, by=request.user)
        messages.warning(request, f"Unused from this second. {then} Now revoke it at the venue.")
    return redirect("key", key_id=key_id)


@require_POST
@requires(Action.SWITCH_STOP)
def revoked(request: DeskRequest, key_id: UUID) -> HttpResponse:
    confirm_revoked(credential=_key(request, key_id), by=request.user)
    return redirect("key", key_id=key_id)


@requires_fresh(Action.VENUE_EDIT)
def spare_used(request: DeskRequest, account_id: UUID) -> HttpResponse:
    account = get_object_or_404(_accounts(request), pk=account_id)
    if request.method == "POST":
        try:
            use_spare(account=account, by=request.user)
        except NoSpare as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "The spare key is in use. Ask for another spare one.")
    return redirect("account", account_id=account_id)
