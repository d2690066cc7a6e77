"""Coming in, going out, and the few things a person sets for themselves."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from cqops.platform.access import demo, second_factor
from cqops.platform.access.forms import CodeForm, PreferencesForm, zones
from cqops.platform.access.models import User
from cqops.platform.access.people import enter, save_preferences
from cqops.platform.access.second_factor import TooSoon

BACKEND = "django.contrib.auth.backends.ModelBackend"
HALFWAY = "sign_in_halfway"
HALFWAY_SECONDS = 300


class SignIn(LoginView):
    """The password; whoever has a second factor is not signed in before that too."""

    template_name = "access/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        person = form.get_user()
        if not second_factor.has_one(person):
            return super().form_valid(form)
        self.request.session.cycle_key()
        self.request.session[HALFWAY] = {
            "person": str(person.pk),
            "at": time.time(),
            "next": self.get_success_url(),
        }
        return redirect("sign-in-code")


def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Take the second factor of somebody whose password was right a moment ago."""
    halfway: dict[str, Any] = request.session.get(HALFWAY, {})
    person = _halfway_in(halfway)
    if person is None or time.time() - halfway["at"] > HALFWAY_SECONDS:
        messages.warning(request, "That took too long. Start again with your password.")
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and proves(form, person):
        del request.session[HALFWAY]
        login(request, person, backend=BACKEND)
        return HttpResponseRedirect(where_to(request, halfway["next"]))
    context = {"form": form, "person": person, "demo_code": demo.code_of(person)}
    return render(request, "access/sign_in_code.html", context, status=422 if form.errors else 200)


def _halfway_in(halfway: dict[str, Any]) -> User | None:
    return User.objects.filter(pk=halfway["person"], is_active=True).first() if halfway else None


def proves(form: CodeForm, person: User) -> bool:
    """Check a code, and say beside the field what is wrong with it."""
    if not form.is_valid():
        return False
    try:
        if second_factor.prove(user=person, code=form.cleaned_data["code"]):
            return True
        form.add_error("code", "This code does not open. Wait for the next one, then try again.")
    except TooSoon as error:
        form.add_error("code", str(error.__doc__))
    return False


@require_POST
def enter_as(request: HttpRequest, username: str) -> HttpResponse:
    """Become a demo person without a password. Routed in SIMULATED mode only."""
    if not settings.IS_SIMULATED:
        raise Http404
    person = demo.person(username)
    if person is None:
        raise Http404
    enter(request, person)
    return HttpResponseRedirect(where_to(request, request.POST.get("next", "")))


@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    person = request.user
    if not isinstance(person, User):
        raise Http404
    form = PreferencesForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        save_preferences(person=form.instance)
        messages.success(request, "Saved. Pages now follow these preferences.")
        return redirect("preferences")
    return render(request, "access/preferences.html", {"form": form, "zones": zones()})


def where_to(request: HttpRequest, wanted: str) -> str:
    """Go where they were going, as long as that is here."""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
