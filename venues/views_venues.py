"""How each venue is doing, and what people note about it: planned maintenance, drift that is known."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from venues.forms import KnownForm, MaintenanceForm
from venues.models import DriftReport, Maintenance, Venue
from venues.services.drifting import mark_known
from venues.services.maintenance import call_off, plan_maintenance
from venues.services.readings import MINUTES
from venues.services.standing import standing_of, standings


@require_GET
@requires(Action.MARKET_VIEW)
def venues(request: DeskRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "standings": standings(by=request.user, now=now),
        "minutes": MINUTES,
        "checked_at": now,
    }
    is_fragment = "fragment" in request.GET
    template = "venues/_venues.html" if is_fragment else "venues/venues.html"
    return render(request, template, context)


@require_GET
@requires(Action.MARKET_VIEW)
def venue(request: DeskRequest, venue: str) -> HttpResponse:
    found = get_object_or_404(Venue, slug=venue)
    return _show(request, found, MaintenanceForm())


def _show(
    request: DeskRequest, found: Venue, form: MaintenanceForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    context = {
        "one": standing_of(found, by=request.user, now=now),
        "form": form,
        "minutes": MINUTES,
        "may_note": may(request.user, Action.VENUE_NOTE, found),
        "may_see_venue": may(request.user, Action.VENUE_VIEW, found),
        "checked_at": now,
    }
    is_fragment = "fragment" in request.GET
    template = "venues/_venue.html" if is_fragment else "venues/venue.html"
    return render(request, template, context, status=status)


@require_POST
@requires(Action.VENUE_NOTE)
def maintenance_plan(request: DeskRequest, venue: str) -> HttpResponse:
    found = get_object_or_404(Venue, slug=venue)
    form = MaintenanceForm(request.POST)
    if not form.is_valid():
        return _show(request, found, form, status=422)
    try:
        planned = plan_maintenance(venue=found, by=request.user, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return _show(request, found, form, status=422)
    messages.success(request, f"Entered: {planned}.")
    return redirect("venue", venue=venue)


@require_POST
@requires(Action.VENUE_NOTE)
def maintenance_call_off(request: DeskRequest, maintenance_id: UUID) -> HttpResponse:
    planned = get_object_or_404(Maintenance.objects.select_related("venue"), pk=maintenance_id)
    call_off(planned=planned, by=request.user)
    messages.success(request, f"Called off: {planned}.")
    return redirect("venue", venue=planned.venue.slug)


@require_POST
@requires(Action.VENUE_NOTE)
def drift_known(request: DeskRequest, report_id: UUID) -> HttpResponse:
    report = get_object_or_404(DriftReport.objects.select_related("venue"), pk=report_id)
    form = KnownForm(request.POST)
    if form.is_valid():
        mark_known(report=report, note=form.cleaned_data["note"], by=request.user)
        messages.success(request, f"Marked as known: {report}.")
    else:
        messages.error(request, "Say in the note why it does no harm.")
    return redirect("venue", venue=report.venue.slug)
