"""What the scan found over REST: listed, read, and dismissed with a reason."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import Paged, RegistryView, a_page_of, listed, shown_as
from assets.api.inputs import Strict, asked, sent
from assets.api.problems import refusals
from assets.api.shapes import DuplicateView
from assets.models import Finding, FindingKind, FindingState
from assets.services.finding_lists import ALL, Filter, rows
from assets.services.findings import dismiss
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller


class WhichFindings(Paged):
    kind = serializers.ChoiceField(FindingKind.choices, required=False)
    state = serializers.ChoiceField(
        [*FindingState.values, ALL],
        required=False,
        default=FindingState.OPEN.value,
        help_text="Else what nobody has decided about.",
    )
    asset = serializers.UUIDField(required=False)
    text = serializers.CharField(
        required=False, max_length=100, help_text="Part of what they share."
    )


class Dismissing(Strict):
    reason = serializers.CharField(max_length=500, help_text="Why it is no duplicate.")


class Findings(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(
        operation_id="findings_list",
        parameters=[WhichFindings],
        responses={200: a_page_of(DuplicateView, "Finding"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List what may be one thing twice, or pose as another, the newest first."""
        given = asked(request, WhichFindings)
        wanted = Filter(
            **{name: given[name] for name in {"kind", "state", "asset", "text"} & set(given)}
        )
        return listed(rows(wanted), given, by="-opened_at", shown=shown_as(DuplicateView))


class OneFinding(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(operation_id="findings_read", responses={200: DuplicateView, **refusals(404)})
    def get(self, request: Request, finding_id: UUID) -> Response:
        """Read one finding, also one that is over."""
        return Response(DuplicateView(Finding.objects.get(pk=finding_id)).data)


class DismissFinding(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="findings_dismiss",
        request=Dismissing,
        responses={200: DuplicateView, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, finding_id: UUID) -> Response:
        """Say why it is no duplicate. It comes back once there is another asset or another text."""
        reason = sent(request, Dismissing)["reason"]
        found = dismiss(finding_id=finding_id, reason=reason, by=caller(request))
        return Response(DuplicateView(found).data)
