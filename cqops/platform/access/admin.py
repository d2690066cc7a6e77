from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminPasswordWidget

from cqops.platform.access import (
    admin_keys,  # noqa: F401 -- the other half of this admin
    parts,
)
from cqops.platform.access.admin_doors import Kept, ReadOnly, Shown, StepUp, by
from cqops.platform.access.forms import GrantForm
from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import APART, NotTogether, OwnRoles, save_person, take_role
from cqops.platform.access.policy import WHAT_ROLES_DO, Action, Role, may
from cqops.platform.access.scopes import Grant, Scope
from cqops.platform.access.sessions import end_all_sessions
from cqops.platform.approvals.admin_asking import Asks
from cqops.platform.approvals.services.roles import propose_roles
from cqops.platform.approvals.services.ways_in import propose_way_in

admin.site.unregister(Group)


class PersonForm(forms.ModelForm[User]):
    """A person with their roles; the password is set here and never shown.

    What gives this person a power is asked for instead of saved: the views say which is which.
    """

    roles = forms.MultipleChoiceField(
        choices=[(role.value, f"{role.value.title()}: {WHAT_ROLES_DO[role]}") for role in Role],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text="Taking one away counts at once; one that is added waits for a second person.",
    )
    new_password = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep the present one. Somebody else's waits for a second person.",
    )

    is_own = False

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "is_active", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:
            grants = self.instance.grants
            self.initial["roles"] = sorted(grant.role for grant in grants if not grant.scope_id)
        if self.is_own and "roles" in self.fields:
            self.fields["roles"].disabled = True
            self.fields["roles"].help_text = "Nobody changes their own roles."

    def clean_roles(self) -> list[str]:
        roles: list[str] = self.cleaned_data["roles"]
        if Role.ADMIN in roles and APART & set(roles):
            raise forms.ValidationError(str(NotTogether.__doc__))
        return roles

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class PersonAdmin(Asks, StepUp, Kept):
    form = PersonForm
    list_display = [
        "username",
        "first_name",
        "last_name",
        "roles_text",
        "has_second_factor",
        "is_active",
        "last_login",
    ]
    actions = ["sign_out_everywhere", "reset_second_factor"]
    dangerous_actions = ("reset_second_factor",)
    list_filter = ["is_active", "role_grants__role"]
    search_fields = ["username", "first_name", "last_name", "email"]
    readonly_fields = ["roles_text", "last_login", "date_joined"]
    ordering = ["username"]

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Offer what can be set to those who may, and the plain facts to those who only read."""
        kept = [*PersonForm.Meta.fields]
        may_edit = may(request.user, Action.PEOPLE_EDIT)
        kept += ["roles", "new_password"] if may_edit else ["roles_text"]
        return kept if obj is None else [*kept, "last_login", "date_joined"]

    @admin.display(description="roles")
    def roles_text(self, person: User) -> str:
        named = sorted(
            grant.role if grant.scope_id is None else f"{grant.role} for one {grant.scope}"
            for grant in person.role_grants.all()
        )
        return ", ".join(named) or "none"

    @admin.display(description="second factor", boolean=True)
    def has_second_factor(self, person: User) -> bool:
        found = getattr(person, "authenticator", None)
        return found is not None and found.confirmed

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        found: QuerySet[User] = super().get_queryset(request)
        return found.prefetch_related("role_grants").select_related("authenticator")

    @admin.action(description="Sign out everywhere", permissions=["keep"])
    def sign_out_everywhere(self, request: HttpRequest, people: QuerySet[User]) -> None:
        ended = sum(end_all_sessions(user=person, by=by(request)) for person in people)
        self.message_user(request, f"{ended} sessions ended.")

    @admin.action(description="Ask to reset the second factor", permissions=["keep"])
    def reset_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people:
            self.asked(
                request,
                partial(propose_way_in, person=person, by=by(request), is_factor_reset=True),
            )

    def has_keep_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PEOPLE_EDIT)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs: Any
    ) -> Any:
        """Keep a person's own roles out of their reach."""
        form = super().get_form(request, obj, change, **kwargs)
        # Fields are shared by all forms of the class, so only a fresh form may disable its own.
        form.is_own = obj is not None and obj.pk == request.user.pk
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save what takes away or is harmless, and ask for what gives this person a power."""
        who, password = by(request), form.cleaned_data["new_password"]
        wanted = set(form.cleaned_data["roles"])
        grants = obj.role_grants.filter(scope=Scope.DESK) if change else RoleGrant.objects.none()
        held = set(grants.values_list("role", flat=True))
        is_back = change and obj.is_active and not User.objects.get(pk=obj.pk).is_active
        is_asked = change and bool(password) and obj.pk != who.pk
        obj.is_active = obj.is_active and not is_back
        save_person(
            person=obj, roles=held & wanted, by=who, new_password="" if is_asked else password
        )
        if is_back or is_asked:
            self.asked(
                request,
                partial(
                    propose_way_in,
                    person=obj,
                    by=who,
                    new_password=password if is_asked else "",
                    is_let_in=is_back,
                ),
            )
        if added := sorted(wanted - held):
            given = [Grant(role, Scope.DESK, None) for role in added]
            self.asked(request, partial(propose_roles, person=obj, grants=given, by=who))


@admin.register(RoleGrant)
class RoleGrantAdmin(Asks, StepUp, ReadOnly):
    """Roles for a part of the desk. Those for all of it are on the page of the person."""

    list_display = ["user", "role", "scope", "part", "granted_by", "granted_at"]
    list_filter = ["role", "scope"]
    list_select_related = ["user", "granted_by"]
    search_fields = ["user__username"]
    actions = ["take_away"]

    @admin.display(description="part")
    def part(self, grant: RoleGrant) -> str:
        return parts.name_of(grant.scope, grant.scope_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PEOPLE_EDIT)

    def has_take_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PEOPLE_EDIT)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs: Any
    ) -> Any:
        return GrantForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: RoleGrant | None = None) -> list[Shown]:
        return ["user", "role", "reach"] if obj is None else super().get_fields(request, obj)

    def get_readonly_fields(
        self, request: HttpRequest, obj: RoleGrant | None = None
    ) -> list[Shown]:
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: RoleGrant, form: Any, change: Any) -> None:
        grant = Grant(obj.role, *form.cleaned_data["reach"])
        self.asked(request, partial(propose_roles, person=obj.user, grants=[grant], by=by(request)))

    @admin.action(description="Take the chosen roles away", permissions=["take"])
    def take_away(self, request: HttpRequest, grants: QuerySet[RoleGrant]) -> None:
        for grant in grants:
            try:
                take_role(grant=grant, by=by(request))
            except OwnRoles as error:
                self.message_user(request, f"{grant}: {error.__doc__}", level=messages.ERROR)
