"""What the admin classes of every app share: services do the writing, history is not edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import DecimalField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from cqops.platform.access.freshness import ask_again, is_fresh
from cqops.platform.access.models import User, admin_action
from cqops.platform.access.rows import allowed_rows, eligible_rows
from cqops.platform.access.scopes import paths_of
from cqops.platform.access.templatetags.desk import amount

Shown = str | Callable[[Model], str]


def by(request: HttpRequest) -> User:
    """Return who acts; the admin lets in nobody who is not a person of the desk."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class EligibleOnly(RelatedFieldListFilter):
    """A filter by venue, account or portfolio names those this person may see something of."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, Any]]:
        rows = field.remote_field.model._default_manager.all()
        allowed = eligible_rows(request.user, view_action(model_admin.model), rows)
        return [(str(row.pk), str(row)) for row in allowed]


def view_action(model: type[Model]) -> str:
    return admin_action(f"{model._meta.app_label}.view_{model._meta.model_name}")


class Kept(ModelAdmin):  # type: ignore[misc]
    """Rows that are changed but never deleted. Amounts are shown exactly and without padding."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Show the rows this person may see, as every other list does."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return allowed_rows(request.user, view_action(self.model), rows)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [self._narrowed(name) for name in super().get_list_filter(request)]

    def _narrowed(self, name: Any) -> Any:
        """Filter by a part of the desk without naming the parts that somebody may not see."""
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        is_part = field.related_model is not None and paths_of(field.related_model)
        return (name, EligibleOnly) if is_part else name

    def get_list_display(self, request: HttpRequest) -> list[Shown]:
        return [self._shown(name) for name in super().get_list_display(request)]

    def _shown(self, name: str) -> Shown:
        """Replace an amount by itself without the zeros that its column pads with."""
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        if not isinstance(field, DecimalField):
            return name

        @admin.display(description=field.verbose_name, ordering=name)
        def exact(row: Model) -> str:
            return amount(getattr(row, name))

        return exact


class StepUp:
    """Asks who it is again before a form that changes something dangerous is shown or taken."""

    # Actions of the list that are dangerous too; ending something never is.
    dangerous_actions: tuple[str, ...] = ()

    def needs_proof(self, request: HttpRequest, object_id: str | None) -> bool:
        """Whether this form does harm in the wrong hands: by default, for everybody who may save."""
        if object_id is None:
            return bool(self.has_add_permission(request))  # type: ignore[attr-defined]
        return bool(self.has_change_permission(request))  # type: ignore[attr-defined]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if self.needs_proof(request, object_id) and not is_fresh(request):
            return ask_again(request)
        shown: HttpResponse = super().changeform_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return shown

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.POST.get("action") in self.dangerous_actions and not is_fresh(request):
            return ask_again(request)
        shown: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        return shown


class ReadOnly(Kept):
    """History: seen, never added to, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Shown]:
        names = [field.name for field in self.model._meta.fields]
        hidden = set(self.exclude or ())
        return [self._shown(name) for name in names if name not in hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Shown]:
        return self.get_fields(request, obj)
