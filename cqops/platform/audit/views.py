from __future__ import annotations

from functools import partial
from typing import Any

from celery import current_app
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action
from cqops.platform.audit import proof, trail
from cqops.platform.audit.context import Door
from cqops.platform.audit.models import Entry, Review
from cqops.platform.background import doorbells
from cqops.platform.exports import csv_response

COLUMNS = [
    *("id", "at_utc", "who", "roles", "door", "origin", "action", "subject_kind", "subject_id"),
    *("subject", "before", "after", "reason", "request_id", "trace_id", "decision_id", "hash"),
]


@requires(Action.AUDIT_VIEW)
def audit(request: DeskRequest) -> HttpResponse:
    wanted = _filter(request)
    if request.GET.get("format") == "csv":
        return _export(wanted)
    entries, following = trail.page(wanted)
    context = {
        "entries": entries,
        "next_cursor": following,
        "filter": wanted,
        "problems": wanted.problems(),
        "doors": list(Door),
        "checked_at": timezone.now(),
        **_proof(),
    }
    return render(request, "audit/audit.html", context)


@requires(Action.AUDIT_VIEW)
def entry(request: DeskRequest, entry_id: int) -> HttpResponse:
    found = get_object_or_404(Entry, pk=entry_id)
    context = {
        "entry": found,
        "lines": trail.side_by_side(found),
        "seal": trail.seal_of(found),
        "is_whole": trail.is_whole(found),
        "subject_url": _subject_url(found),
    }
    return render(request, "audit/entry.html", context)


@require_POST
@requires(Action.AUDIT_VIEW)
def verify(request: DeskRequest) -> HttpResponse:
    """Have a worker verify and anchor now: the whole chain takes longer than a page may."""
    doorbells.give(partial(current_app.send_task, "audit.verify", retry=False, expires=60))
    doorbells.give(partial(current_app.send_task, "audit.anchor", retry=False, expires=60))
    messages.success(request, "A worker verifies and anchors the log now; reload in a moment.")
    return redirect("audit")


def _filter(request: DeskRequest) -> trail.Filter:
    names = ("kind", "subject", "person", "since", "until", "door", "request", "action", "before")
    return trail.Filter(**{name: request.GET.get(name, "").strip() for name in names})


def _proof() -> dict[str, Any]:
    """Say how far the log is proven: last verified, last anchored, and what has no seal yet."""
    now = timezone.now()
    tail = proof.tail(since=now - proof.LATELY)
    return {
        "verified": proof.last(Review.Kind.VERIFIED),
        "anchored": proof.last(Review.Kind.ANCHORED),
        "tail": tail,
        "is_tail_late": tail.is_late(now),
    }


def _subject_url(found: Entry) -> str:
    """Lead to the object itself, where the admin has a page for its kind."""
    try:
        route = f"admin:{found.subject_kind.replace('.', '_')}_change"
        return reverse(route, args=[found.subject_id])
    except NoReverseMatch:
        return ""


def _export(wanted: trail.Filter) -> HttpResponse:
    lines = (
        [
            row.pk,
            row.at,
            row.who,
            row.roles,
            row.door,
            row.origin,
            row.action,
            row.subject_kind,
            row.subject_id,
            row.subject_text,
            trail.as_text(row.before),
            trail.as_text(row.after),
            row.reason,
            row.request_id,
            row.trace_id,
            row.decision_id,
            row.hash,
        ]
        for row in trail.from_here_on(wanted).iterator()
    )
    return csv_response("audit", COLUMNS, lines, go_on=_go_on)


def _go_on(last: list[object]) -> str:
    return f"the same address with before={last[0]} holds what comes after"
