"""Quality flags over REST: raised at once, resolved by one person, or by two where they are severe."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from assets.api.doors import (
    ASKED,
    Clocked,
    Paged,
    RegistryView,
    a_page_of,
    clocks_of,
    listed,
    shown_as,
    waits,
)
from assets.api.inputs import FIRST, LAST, REASON, Moment, Strict, asked, named, sent
from assets.api.problems import refusals
from assets.api.shapes import FlagView
from assets.models import Asset, FlagKind, FlagSource, QualityFlag, Severity
from assets.models.registered import WEB
from assets.services.flags import clear_flag, propose_clear, raise_flag
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller

SEVERITIES = [one.name.lower() for one in Severity]
STANDING, ENDED, ALL = "true", "false", "all"


class WhichFlags(Paged, Clocked):
    asset = serializers.UUIDField(required=False)
    kind = serializers.ChoiceField(FlagKind.choices, required=False)
    minimum_severity = serializers.ChoiceField(
        SEVERITIES, required=False, help_text="This severe, or more."
    )
    active = serializers.ChoiceField(
        [STANDING, ENDED, ALL],
        required=False,
        default=STANDING,
        help_text="What stands at the moments asked for; what was known then and does not; or both.",
    )
    source_kind = serializers.ChoiceField(FlagSource.choices, required=False)
    source = serializers.CharField(  # type: ignore[assignment]
        required=False, max_length=120, help_text="The whole name of who found it."
    )


class Day(serializers.DateField):
    default_error_messages = {"far": "A day lies between the years 1970 and 2200."}

    def to_internal_value(self, value: Any) -> date:
        found: date = super().to_internal_value(value)
        if not FIRST.date() <= found <= LAST.date():
            self.fail("far")
        return found


class NewFlag(Strict):
    asset = named(Asset.objects.all())
    kind = serializers.ChoiceField(FlagKind.choices)
    severity = serializers.ChoiceField(SEVERITIES)
    source_kind = serializers.ChoiceField(FlagSource.choices, required=False)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=120, required=False, allow_blank=True, help_text="Who found it; else you."
    )
    evidence_url = serializers.CharField(
        max_length=500, required=False, allow_blank=True, validators=[WEB]
    )
    note = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    valid_from = Moment(required=False, help_text="Since when it is so; else now.")
    review_on = Day(required=False, allow_null=True)
    expires_at = Moment(
        required=False, allow_null=True, help_text="What is high or critical never lapses."
    )


class Resolving(Strict):
    reason = serializers.CharField(max_length=500, help_text=REASON)


class Flags(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW, "POST": Action.FLAG_RAISE}

    @extend_schema(
        operation_id="flags_list",
        parameters=[WhichFlags],
        responses={200: a_page_of(FlagView, "Flag"), **refusals(400)},
    )
    def get(self, request: Request) -> Response:
        """List flags, the newest first; without more, those that stand now."""
        given = asked(request, WhichFlags)
        return listed(_rows(given), given, by="-raised_at", shown=shown_as(FlagView))

    @extend_schema(
        operation_id="flags_raise",
        request=NewFlag,
        responses={201: FlagView, **refusals(400, 422)},
    )
    def post(self, request: Request) -> Response:
        """Warn about an asset, at once. A critical flag blocks what adds exposure from now on."""
        given = sent(request, NewFlag)
        given["severity"] = Severity[given["severity"].upper()]
        flag = raise_flag(flag=QualityFlag(**given), by=caller(request))
        place = reverse("api-flag", args=[flag.pk])
        body = FlagView(flag).data
        return Response(body, status=HTTPStatus.CREATED, headers={"Location": place})


class OneFlag(RegistryView):
    actions = {"GET": Action.REGISTRY_VIEW}

    @extend_schema(operation_id="flags_read", responses={200: FlagView, **refusals(404)})
    def get(self, request: Request, flag_id: UUID) -> Response:
        """Read one flag, also one that was cleared."""
        return Response(FlagView(QualityFlag.objects.get(pk=flag_id)).data)


class ResolveFlag(RegistryView):
    actions = {"POST": Action.REGISTRY_EDIT}

    @extend_schema(
        operation_id="flags_resolve",
        request=Resolving,
        responses={200: FlagView, 202: ASKED, **refusals(400, 404, 409, 422)},
    )
    def post(self, request: Request, flag_id: UUID) -> Response:
        """Clear a flag; of a high or critical one, ask a second person, and answer 202."""
        flag = QualityFlag.objects.get(pk=flag_id)
        reason = sent(request, Resolving)["reason"]
        if flag.is_severe:
            return waits(propose_clear(flag=flag, reason=reason, by=caller(request)))
        cleared = clear_flag(flag=flag, reason=reason, by=caller(request))
        return Response(FlagView(cleared).data)


def _rows(given: dict[str, Any]) -> QuerySet[QualityFlag]:
    clocks = clocks_of(given)
    standing = QualityFlag.objects.at(as_of=clocks.as_of, known_at=clocks.known_at)
    found = QualityFlag.objects.filter(raised_at__lte=clocks.known_at)
    if given["active"] == STANDING:
        found = standing
    elif given["active"] == ENDED:
        found = found.exclude(pk__in=standing.values("pk"))
    for name in {"asset", "kind", "source_kind"} & set(given):
        found = found.filter(**{name: given[name]})
    if "source" in given:
        found = found.filter(source__iexact=given["source"])
    if "minimum_severity" in given:
        found = found.filter(severity__gte=Severity[given["minimum_severity"].upper()])
    return found.select_related("raised_by", "cleared_by")
