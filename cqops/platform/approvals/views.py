from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.freshness import is_fresh, requires_fresh
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import AlreadyDecided, Refused
from cqops.platform.approvals.exhibits import Severity
from cqops.platform.approvals.instruction import matters_in
from cqops.platform.approvals.kinds import all_kinds
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.reasons import WORDS
from cqops.platform.approvals.services import decide, progress, standing, why_not, withdraw
from cqops.platform.approvals.services.evidence import (
    clock_of,
    context_of,
    forecast_of,
    page_of,
    side_by_side,
    similar,
    timeline_of,
)
from cqops.platform.approvals.services.inbox import (
    TABS,
    BadCursor,
    Filter,
    needing,
    page,
    rows,
    visible,
)
from cqops.platform.approvals.services.standing import stuck
from cqops.platform.approvals.states import OPEN, State, Verdict
from cqops.platform.exports import csv_response


def _filter(request: DeskRequest) -> Filter:
    asked = request.GET
    tab = asked.get("tab", "")
    return Filter(
        tab=tab if tab in TABS else TABS[0],
        kind=asked.get("kind", ""),
        state=asked.get("state", ""),
        text=asked.get("q", "").strip(),
        before=asked.get("before", ""),
    )


@require_GET
@requires(Action.APPROVAL_VIEW)
def inbox(request: DeskRequest) -> HttpResponse:
    wanted = _filter(request)
    if request.GET.get("format") == "csv":
        return _export(wanted, by=request.user)
    try:
        found, following = page(wanted, by=request.user)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("approvals")
    now = timezone.now()
    context = {
        "lines": [(one, progress(one)) for one in found],
        "stuck": stuck(found, now=now),
        "next_cursor": following,
        "filter": wanted,
        "kinds": all_kinds(),
        "states": [(state.value, state.value.title()) for state in State],
        "mine": needing(request.user, now=now).count(),
        "others": rows(Filter(tab="others"), by=request.user, now=now).count(),
        "checked_at": now,
    }
    template = "approvals/_inbox.html" if "table" in request.GET else "approvals/inbox.html"
    return render(request, template, context)


@require_GET
@requires(Action.APPROVAL_VIEW)
def count(request: DeskRequest) -> HttpResponse:
    """Answer the number beside the navigation alone."""
    waiting = needing(request.user, now=timezone.now()).count()
    return render(request, "approvals/_count.html", {"approvals_waiting": waiting})


@require_GET
@requires(Action.APPROVAL_VIEW)
def one(request: DeskRequest, request_id: UUID) -> HttpResponse:
    """Show one request: the evidence, and as a part of its own the decision."""
    found = get_object_or_404(visible(request.user), pk=request_id)
    part = request.GET.get("part", "")
    templates = {"evidence": "approvals/_evidence.html", "decide": "approvals/_decide.html"}
    return render(request, templates.get(part, "approvals/request.html"), _shown(request, found))


def _shown(request: DeskRequest, found: Request) -> dict[str, Any]:
    now = timezone.now()
    decisions = list(found.decisions.all())
    return {
        "asked": found,
        "standing": standing(found, now=now),
        "decisions": decisions,
        **_evidence(request, found),
        "subject_url": page_of(found),
        "problem": why_not(found, request.user, now=now) if found.is_pending else "",
        "has_decided": any(one.by_id == request.user.pk for one in decisions),
        "may_withdraw": found.requested_by_id == request.user.pk and State(found.state) in OPEN,
        "is_fresh": is_fresh(request),
        "may_read_audit": may(request.user, Action.AUDIT_VIEW),
        "refusal_codes": [(code.value, words) for code, words in WORDS.items()],
        "checked_at": now,
    }


def _evidence(request: DeskRequest, found: Request) -> dict[str, Any]:
    """Gather what is asked for, and what lies beside it."""
    lines, matters = matters_in(found.instruction_rows)
    context = context_of(found)
    told = {row.label: row for row in context}
    names = {one.asked.label for one in matters}
    return {
        "lines": lines,
        "matters": [
            (one, told.get(one.asked.label))
            for one in sorted(matters, key=lambda one: one.asked.label)
        ],
        "seen": side_by_side(found),
        "forecast": forecast_of(found),
        "context": [row for row in context if row.label not in names],
        "similar": similar(found, by=request.user) if found.is_pending else [],
        "timeline": timeline_of(found),
        "clock": clock_of(found),
        "clear_findings": [one for one in found.findings_shown if one.severity is Severity.CLEAR],
        "rule_url": _rule_url(request, found),
    }


def _rule_url(request: DeskRequest, found: Request) -> str:
    """Lead to the rule as it stands now, for those whom the admin lets in."""
    if found.rule_id is None or not admin.site.has_permission(request):
        return ""
    return reverse("admin:approvals_rule_change", args=[found.rule_id])


@require_POST
@requires_fresh(Action.APPROVAL_DECIDE)
def decide_one(request: DeskRequest, request_id: UUID) -> HttpResponse:
    get_object_or_404(visible(request.user), pk=request_id)
    try:
        found = decide(
            request_id=request_id,
            by=request.user,
            verdict=Verdict(request.POST.get("verdict", "")),
            reason=request.POST.get("reason", ""),
            code=request.POST.get("code", ""),
            is_confirmed="is_confirmed" in request.POST,
            seen_hash=request.POST.get("seen_hash", ""),
        )
    except AlreadyDecided as news:
        messages.info(request, str(news))
    except (Refused, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found.title}: {found.sentence}")
    return redirect("approval", request_id=request_id)


@require_POST
@requires(Action.APPROVAL_VIEW)
def withdraw_one(request: DeskRequest, request_id: UUID) -> HttpResponse:
    get_object_or_404(visible(request.user), pk=request_id)
    try:
        found = withdraw(request_id=request_id, by=request.user)
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, found.sentence)
    return redirect("approval", request_id=request_id)


def _export(wanted: Filter, *, by: User) -> HttpResponse:
    header = [
        *("requested_at_utc", "request_id", "kind", "title", "subject_kind", "subject_id"),
        *("requested_by", "venue", "account", "portfolio", "rule", "deadline_utc", "state"),
        *("reason", "ended_at_utc", "decisions", "refusal_code", "instruction_hash"),
    ]
    found = rows(wanted, by=by, now=timezone.now())
    lines = (_line(row) for row in found.iterator(chunk_size=500))
    return csv_response("approvals", header, lines)


def _line(row: Request) -> list[object]:
    made = list(row.decisions.all())
    decisions = "; ".join(f"{one.by.username} {one.verdict}" for one in made)
    code = next((one.code for one in made if one.code), "")
    where = (row.facts.get(name, "") for name in ("venue", "account", "portfolio"))
    return [
        *(row.requested_at, row.pk, row.kind, row.title, row.subject_kind, row.subject_id),
        *(row.requested_by.username, *where, row.rule_name, row.deadline, row.state, row.reason),
        *(row.ended_at, decisions, code, row.instruction_hash),
    ]
