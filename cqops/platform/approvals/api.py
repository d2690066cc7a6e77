"""Approvals over REST: list, read, decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request as RestRequest
from rest_framework.response import Response
from rest_framework.views import APIView

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller, is_proven
from cqops.platform.approvals.errors import BadReason, NotConfirmed, NotYours, Refused
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.reasons import RefusalCode
from cqops.platform.approvals.services import decide, progress
from cqops.platform.approvals.services.inbox import TABS, BadCursor, Filter, page, visible
from cqops.platform.approvals.states import Verdict

CONFIRM_FIRST = (
    "Before a decision the desk asks who you are again. Confirm it there, then send again."
)


class DecisionView(serializers.ModelSerializer[Decision]):
    by = serializers.CharField(source="by.username")

    class Meta:
        model = Decision
        fields = ["by", "verdict", "reason", "code", "at", "instruction_hash"]


class FindingView(serializers.Serializer[Any]):
    severity = serializers.CharField(help_text="high, medium, low, or clear.")
    title = serializers.CharField()
    words = serializers.CharField()
    is_confirmed_apart = serializers.BooleanField(
        help_text="Whether approving needs its confirmation; so does everything high."
    )


class ApprovalView(serializers.ModelSerializer[Request]):
    # A word and no enumeration: an order has a state of its own.
    state = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.username")
    instruction = serializers.SerializerMethodField()
    snapshot = serializers.SerializerMethodField()
    explanation = serializers.CharField(source="sentence")
    findings = FindingView(many=True)
    decisions = DecisionView(many=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Request
        fields = [
            *("id", "kind", "subject_kind", "subject_id", "title", "instruction"),
            *(
                "instruction_hash",
                "snapshot",
                "findings",
                "requested_by",
                "requested_at",
                "deadline",
            ),
            *("rule_name", "rule_why", "progress", "state", "explanation", "reason"),
            *("decisions", "ended_at", "executed_at", "version"),
        ]

    def get_instruction(self, request: Request) -> dict[str, str]:
        """Give every line exactly: a decimal without padding, a time in UTC."""
        return request.instruction_texts

    def get_snapshot(self, request: Request) -> dict[str, str]:
        return {row.label: row.text for row in request.snapshot_rows}

    def get_progress(self, request: Request) -> str:
        return progress(request)


class ApprovalPage(serializers.Serializer[Any]):
    results = ApprovalView(many=True)
    next = serializers.CharField(help_text="Pass as `before` for the next page; empty at the end.")


class WhichApprovals(serializers.Serializer[Any]):
    """What a list of requests may be asked for."""

    tab = serializers.ChoiceField(TABS, required=False, help_text="mine is what you can decide.")
    kind = serializers.CharField(required=False)
    state = serializers.CharField(required=False, help_text="A state, or open, ended.")
    before = serializers.CharField(required=False, allow_blank=True, help_text="`next` of a page.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200)


class NewDecision(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField([one.value for one in Verdict])
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)
    code = serializers.ChoiceField(
        [one.value for one in RefusalCode], required=False, help_text="Why, of a refusal."
    )
    is_confirmed = serializers.BooleanField(
        default=False, help_text="That you confirm the `findings` that need it, to approve."
    )
    seen_hash = serializers.CharField(help_text="The `instruction_hash` of what you decide about.")


class Approvals(APIView):
    actions = {"GET": Action.APPROVAL_VIEW}

    @extend_schema(
        operation_id="approvals_list", parameters=[WhichApprovals], responses=ApprovalPage
    )
    def get(self, request: RestRequest) -> Response:
        """List requests: what you can decide, what waits for others, or all."""
        asked = WhichApprovals(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            found, following = page(Filter(**asked.validated_data), by=caller(request))
        except BadCursor as error:
            raise serializers.ValidationError({"before": str(error)}) from error
        return Response({"results": ApprovalView(found, many=True).data, "next": following})


class OneApproval(APIView):
    actions = {"GET": Action.APPROVAL_VIEW}

    @extend_schema(operation_id="approvals_read", responses=ApprovalView)
    def get(self, request: RestRequest, request_id: UUID) -> Response:
        """Read one request with its decisions."""
        return Response(ApprovalView(_found(request_id, by=caller(request))).data)


class DecideApproval(APIView):
    actions = {"POST": Action.APPROVAL_DECIDE}

    @extend_schema(
        operation_id="approvals_decide",
        request=NewDecision,
        responses={200: ApprovalView, 403: ApprovalView, 409: ApprovalView, 422: ApprovalView},
    )
    def post(self, request: RestRequest, request_id: UUID) -> Response:
        """Approve or refuse.

        403 when it is not yours to decide, or when a person who comes in with a browser has to confirm
        first that it is them; 409 when it is over or not what you saw; 422 for a refusal without a reason, and for an approval without the confirmation its findings need.
        """
        person = caller(request)
        _found(request_id, by=person)
        if not is_proven(request):
            return Response(
                {"detail": CONFIRM_FIRST, "confirm_at": reverse("confirm")},
                status=status.HTTP_403_FORBIDDEN,
            )
        asked = NewDecision(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        try:
            decide(
                request_id=request_id,
                by=person,
                verdict=Verdict(data["verdict"]),
                reason=data.get("reason", ""),
                code=data.get("code", ""),
                is_confirmed=data["is_confirmed"],
                seen_hash=data["seen_hash"],
            )
        except Refused as error:
            now = ApprovalView(_found(request_id, by=person)).data
            return Response({**now, "detail": str(error)}, status=_status(error))
        return Response(ApprovalView(_found(request_id, by=person)).data)


def _status(error: Refused) -> int:
    if isinstance(error, NotYours):
        return status.HTTP_403_FORBIDDEN
    if isinstance(error, (BadReason, NotConfirmed)):
        return status.HTTP_422_UNPROCESSABLE_ENTITY
    return status.HTTP_409_CONFLICT


def _found(request_id: UUID, *, by: User) -> Request:
    found = visible(by).filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found
