"""What a person keeps about themselves: second factor, sessions, tokens, and proving who they are."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from cqops.platform.access import demo, second_factor
from cqops.platform.access.doors import DeskRequest
from cqops.platform.access.forms import CodeForm, PasswordForm, TokenForm
from cqops.platform.access.freshness import requires_fresh
from cqops.platform.access.models import ApiToken, DeskSession
from cqops.platform.access.policy import Action
from cqops.platform.access.second_factor import AlreadyEnrolled, must_enrol
from cqops.platform.access.sessions import (
    end_all_sessions,
    end_session,
    mark_fresh,
    sessions_of,
)
from cqops.platform.access.views import proves, where_to
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.services.programs import end_token, make_token
from cqops.platform.exports import csv_response


@sensitive_post_parameters()
@login_required
def confirm(request: DeskRequest) -> HttpResponse:
    """Ask again who it is: the second factor, or the password where there is none."""
    has_code = second_factor.has_one(request.user)
    kind = CodeForm if has_code else PasswordForm
    form = kind(request.POST or None)
    following = request.POST.get("next") or request.GET.get("next", "")
    if request.method == "POST" and _is_proven(request, form):
        mark_fresh(request)
        return HttpResponseRedirect(where_to(request, following))
    context = {
        "form": form,
        "has_code": has_code,
        "next": following,
        "demo_code": demo.code_of(request.user) if has_code else None,
    }
    return render(request, "access/confirm.html", context, status=422 if form.errors else 200)


@sensitive_variables()
def _is_proven(request: DeskRequest, form: CodeForm | PasswordForm) -> bool:
    if isinstance(form, CodeForm):
        return proves(form, request.user)
    if not form.is_valid():
        return False
    password = form.cleaned_data["password"]
    if authenticate(request, username=request.user.username, password=password) == request.user:
        return True
    form.add_error("password", "That is not your password.")
    return False


@login_required
def second_factor_page(request: DeskRequest) -> HttpResponse:
    """Set the second factor up, or say that it is there."""
    if second_factor.has_one(request.user):
        left = second_factor.paper_codes_left(request.user)
        return render(request, "access/second_factor.html", {"is_enrolled": True, "left": left})
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        codes = _enrolled(request, form)
        if codes:
            return render(request, "access/paper_codes.html", {"codes": codes})
    begun = second_factor.begin(user=request.user)
    context = {
        "form": form,
        "drawn": second_factor.code_to_scan(begun),
        "seed": second_factor.seed_text(begun),
        "is_required": must_enrol(request.user),
        "demo_code": demo.code_of(request.user),
    }
    status = 422 if form.errors else 200
    return render(request, "access/second_factor.html", context, status=status)


def _enrolled(request: DeskRequest, form: CodeForm) -> list[str]:
    """Take the first code; every other browser has to show one from now on."""
    try:
        codes = second_factor.confirm(user=request.user, code=form.cleaned_data["code"])
    except AlreadyEnrolled as error:
        form.add_error("code", str(error.__doc__))
        return []
    if not codes:
        form.add_error("code", "This is not the code of now. Wait for the next one and try again.")
        return []
    mark_fresh(request)
    end_all_sessions(user=request.user, by=request.user, except_key=request.session.session_key)
    return codes


@login_required
def sessions(request: DeskRequest) -> HttpResponse:
    context = {
        "sessions": sessions_of(request.user).filter(user=request.user),
        "here": request.session.session_key,
    }
    return render(request, "access/sessions.html", context)


@require_POST
@login_required
def session_end(request: DeskRequest, session_id: UUID) -> HttpResponse:
    found = get_object_or_404(DeskSession, pk=session_id, user=request.user)
    end_session(session=found, by=request.user)
    messages.success(request, f"Signed out: {found.device}.")
    return redirect("sessions")


@require_POST
@login_required
def session_end_others(request: DeskRequest) -> HttpResponse:
    ended = end_all_sessions(
        user=request.user, by=request.user, except_key=request.session.session_key
    )
    messages.success(request, f"Signed out elsewhere: {ended}.")
    return redirect("sessions")


@login_required
def tokens(request: DeskRequest) -> HttpResponse:
    """List one's own tokens, those that open doors first."""
    wanted = request.GET.get("state", "")
    now = timezone.now()
    good = Q(revoked_at=None, released_at__isnull=False, expires_at__gt=now)
    waits = Q(revoked_at=None, released_at=None, expires_at__gt=now)
    states = {"good": good, "waits": waits, "ended": ~good & ~waits}
    found = request.user.api_tokens.order_by("-created_at")
    if wanted in states:
        found = found.filter(states[wanted])
    if request.GET.get("format") == "csv":
        return _export(list(found))
    return render(request, "access/tokens.html", {"tokens": found, "now": now, "state": wanted})


def _export(found: list[ApiToken]) -> HttpResponse:
    header = [
        "name",
        "may",
        "created_at",
        "released_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    lines: list[list[object]] = [
        [
            token.name,
            " ".join(token.scopes),
            token.created_at,
            token.released_at,
            token.expires_at,
            token.last_used_at,
            token.revoked_at,
        ]
        for token in found
    ]
    return csv_response("tokens", header, lines)


@requires_fresh(Action.DESK_VIEW)
def token_new(request: DeskRequest) -> HttpResponse:
    """Make a token and show it this once: the answer to the form itself, never an address.

    One that may do more than read opens nothing before a second person agreed.
    """
    form = TokenForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            token, text, asked = make_token(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        except Refused as error:
            form.add_error("scopes", str(error))
        else:
            context = {"token": token, "text": text, "asked": asked}
            return render(request, "access/token_made.html", context)
    status = 422 if form.errors else 200
    return render(request, "access/token_new.html", {"form": form}, status=status)


@require_POST
@login_required
def token_revoke(request: DeskRequest, token_id: UUID) -> HttpResponse:
    found = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    end_token(token=found, by=request.user)
    messages.success(request, f"Revoked: {found.name}. It opens nothing from now on.")
    return redirect("tokens")
