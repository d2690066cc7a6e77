"""The pages of reconciliations and breaks."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import allowed_rows
from cqops.platform.approvals.models import Request
from cqops.platform.exports import csv_response
from portfolio.models import Break, BreakState
from portfolio.reconcile import Kind
from portfolio.services import break_lists, breaks
from portfolio.services.break_lists import AGES, BadCursor, Filter
from portfolio.services.closing import ask_to_close
from portfolio.services.reconciliation import request_reconciliation
from venues.models import Account

ORDER = ["Our id", "Venue's id", "Execution", "Order", "Symbol", "Side", "Quantity", "Price"]
ORDER += ["Filled", "State", "Fee", "Executed", "Total"]
NEEDS_WORDS = "Write a few words first: whoever reads this later was not there."


@requires(Action.RECON_VIEW)
def reconciliation(request: DeskRequest) -> HttpResponse:
    context = {
        "standings": break_lists.standings(by=request.user),
        "may_run": may(request.user, Action.RECON_RUN),
        "checked_at": timezone.now(),
    }
    name = "_reconciliation.html" if "fragment" in request.GET else "reconciliation.html"
    return render(request, f"portfolio/{name}", context)


@require_POST
@requires(Action.RECON_RUN)
def run_now(request: DeskRequest) -> HttpResponse:
    """Ask for one account, or for every account this person may run."""
    accounts = Account.objects.filter(is_enabled=True, venue__is_enabled=True)
    wanted = allowed_rows(request.user, Action.RECON_RUN, accounts.select_related("venue"))
    chosen = request.POST.get("account", "")
    asked = [one for one in wanted if chosen in {"", str(one.pk)}]
    for account in asked:
        request_reconciliation(account=account, by=request.user)
    if not asked:
        messages.error(request, "There is no such account that you may reconcile.")
    return redirect("reconciliation")


def _filter(request: DeskRequest) -> Filter:
    asked = request.GET
    return Filter(
        state=asked.get("state", ""),
        kind=asked.get("kind", ""),
        account=asked.get("account", ""),
        owner=asked.get("owner", ""),
        age=asked.get("age", ""),
        before=asked.get("before", ""),
    )


@requires(Action.RECON_VIEW)
def break_list(request: DeskRequest) -> HttpResponse:
    wanted = _filter(request)
    if request.GET.get("format") == "csv":
        return _export(request, wanted)
    try:
        found, following = break_lists.page(wanted, by=request.user)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("breaks")
    context = {
        "breaks": found,
        "next_cursor": following,
        "filter": wanted,
        "states": BreakState.choices,
        "kinds": [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in Kind],
        "ages": AGES.items(),
        "accounts": allowed_rows(request.user, Action.RECON_VIEW, Account.objects.all()),
        "checked_at": timezone.now(),
    }
    name = "_breaks_table.html" if "table" in request.GET else "breaks.html"
    return render(request, f"portfolio/{name}", context)


@requires(Action.RECON_VIEW)
def break_page(request: DeskRequest, break_id: UUID) -> HttpResponse:
    found = get_object_or_404(break_lists.visible(request.user), pk=break_id)
    names = sorted({*found.ours, *found.theirs}, key=_place)
    waiting = found.closing_request
    asked = Request.objects.with_names().get(pk=waiting) if waiting else None
    context = {
        "found": found,
        "sides": [(name, found.ours.get(name, ""), found.theirs.get(name, "")) for name in names],
        "notes": found.notes.select_related("by"),
        "asked": asked,
        "may_work": may(request.user, Action.BREAK_WORK, found) and found.is_unresolved,
    }
    name = "_break.html" if "fragment" in request.GET else "break.html"
    return render(request, f"portfolio/{name}", context)


def _place(name: str) -> tuple[int, str]:
    """Give each line of a record its place: the database does not keep the order they had."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _act(
    request: DeskRequest, break_id: UUID, act: Callable[[], object], *, needs: str | None = None
) -> HttpResponse:
    """Do one thing to a break this person sees, and come back to it with the outcome in words."""
    get_object_or_404(break_lists.visible(request.user), pk=break_id)
    if needs is not None and not needs.strip():
        messages.error(request, NEEDS_WORDS)
        return redirect("break", break_id=break_id)
    try:
        act()
    except breaks.NotNow as error:
        messages.error(request, str(error))
    return redirect("break", break_id=break_id)


@require_POST
@requires(Action.BREAK_WORK)
def take_break(request: DeskRequest, break_id: UUID) -> HttpResponse:
    """Make it mine, or give it back."""
    owner = None if "give_back" in request.POST else request.user
    return _act(
        request,
        break_id,
        lambda: breaks.assign(break_id=break_id, owner=owner, by=request.user),
    )


@require_POST
@requires(Action.BREAK_WORK)
def note_break(request: DeskRequest, break_id: UUID) -> HttpResponse:
    """Add a note, which with `explain` says why the difference is there."""
    words = request.POST.get("words", "")
    write = breaks.explain if "explain" in request.POST else breaks.add_note
    return _act(
        request,
        break_id,
        lambda: write(break_id=break_id, words=words, by=request.user),
        needs=words,
    )


@require_POST
@requires(Action.BREAK_WORK)
def close_break(request: DeskRequest, break_id: UUID) -> HttpResponse:
    """Ask a second person to accept the difference."""
    reason = request.POST.get("reason", "")
    return _act(
        request,
        break_id,
        lambda: ask_to_close(break_id=break_id, reason=reason, by=request.user),
        needs=reason,
    )


def _export(request: DeskRequest, wanted: Filter) -> HttpResponse:
    header = [
        "first_seen_utc",
        "last_seen_utc",
        "break_id",
        "venue",
        "account",
        "kind",
        "what",
        "amount_theirs_less_ours",
        "unit",
        "ours",
        "theirs",
        "state",
        "owner",
        "ended_utc",
        "close_reason",
    ]
    lines = (_line(row) for row in break_lists.rows(wanted, by=request.user).iterator())
    return csv_response("breaks", header, lines)


def _line(row: Break) -> list[object]:
    return [
        row.first_seen_at,
        row.last_seen_at,
        row.pk,
        row.account.venue.slug,
        row.account.name,
        row.kind,
        row.title,
        row.amount,
        row.unit,
        "; ".join(f"{name} {text}" for name, text in row.ours.items()),
        "; ".join(f"{name} {text}" for name, text in row.theirs.items()),
        row.state,
        row.owner.username if row.owner else "",
        row.ended_at,
        row.close_reason,
    ]
