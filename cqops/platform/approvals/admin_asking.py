"""What an admin class does whose form asks a second person instead of saving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html

from cqops.platform.access.people import NotTogether, OwnRoles
from cqops.platform.approvals.errors import Refused
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services.evidence import address_of


class Asks:
    """Tells what became of the question, writes nothing into Django's own log, and leads to the list."""

    def asked(self, request: HttpRequest, ask: Callable[[], Request]) -> Request | None:
        """Ask, and say in words what was asked for or why it was not."""
        try:
            found = ask()
        except Refused as error:
            messages.error(request, str(error))
        except (OwnRoles, NotTogether) as error:
            messages.error(request, str(error.__doc__))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(
                request,
                format_html(
                    '<a href="{}">{}</a>: asked for. Nothing changes before another person agrees.',
                    address_of(found),
                    found.title,
                ),
            )
            return found
        return None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Save nothing: it is carried out with the approval."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Log nothing: what happens is in the audit, when it happens."""

    log_change = log_addition

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return self._to_the_list()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_the_list()

    def _to_the_list(self) -> HttpResponse:
        meta = self.model._meta  # type: ignore[attr-defined]
        return redirect(f"admin:{meta.app_label}_{meta.model_name}_changelist")
