"""What happened to the desk itself, for those who run it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action
from cqops.platform.exports import csv_response
from cqops.platform.telemetry import history
from cqops.platform.telemetry.notes import Severity

COLUMNS = [
    *("id", "at_utc", "since_utc", "count", "severity", "kind", "process", "words", "labels"),
    *("request_id", "trace_id"),
]


@require_GET
@requires(Action.OPS_VIEW)
def operations(request: DeskRequest) -> HttpResponse:
    wanted = _filter(request)
    if request.GET.get("format") == "csv":
        return _export(wanted)
    events, following = history.page(wanted)
    context = {
        "events": [(event, history.labels_of(event)) for event in events],
        "next_cursor": following,
        "filter": wanted,
        "problems": wanted.problems(),
        "severities": [(one.value, one.value.title()) for one in Severity],
        "processes": settings.STATUS_PROCESSES,
        "keep_days": settings.OPS_EVENTS_KEEP_DAYS,
        "checked_at": timezone.now(),
    }
    return render(request, "telemetry/operations.html", context)


def _filter(request: DeskRequest) -> history.Filter:
    names = ("severity", "kind", "process", "since", "until", "before")
    return history.Filter(**{name: request.GET.get(name, "").strip() for name in names})


def _export(wanted: history.Filter) -> HttpResponse:
    lines = (
        [
            *(row.pk, row.at, row.since, row.count, row.severity, row.kind, row.process, row.words),
            *(history.labels_of(row), row.request_id, row.trace_id),
        ]
        for row in history.all_of(wanted).iterator()
    )
    return csv_response("operations", COLUMNS, lines)
