"""What the registry's views have alike: refusals as problems, versions, pages, and questions to a second person."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets.api.inputs import Moment, Strict, sent
from assets.api.problems import VersionMissing, problem
from assets.models.claims import ClaimQuerySet
from assets.models.registered import Registered
from assets.services.pages import BadCursor, page, total
from assets.services.resolution import Clocks
from cqops.platform.access.rest import caller
from cqops.platform.approvals.models import Request as ApprovalRequest

SEEN = re.compile(r'(?:W/)?"([0-9]{1,9})"|([0-9]{1,9})')
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": f"^({SEEN.pattern})$"},
    OpenApiParameter.HEADER,
    required=True,
    description='The version you saw, as in "3".',
)


class RegistryView(APIView):
    """An endpoint of the registry."""

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return problem


class Paged(Strict):
    after = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="`next` of a page."
    )
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)
    count = serializers.ChoiceField(
        ["estimate", "exact"],
        required=False,
        default="estimate",
        help_text="Past a thousand the total is an estimate, unless it has to be counted.",
    )


class Clocked(Strict):
    as_of = Moment(required=False, help_text="What was true then; else now.")
    known_at = Moment(required=False, help_text="As far as it was known then; else now.")


class WhichClaims(Paged, Clocked):
    """Claims about assets: what holds at two moments, or with `history` all that was ever said."""

    asset = serializers.UUIDField(required=False)
    history = serializers.BooleanField(
        required=False, default=False, help_text="Also what ended, and what was taken back."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["history"] and {"as_of", "known_at"} & set(attrs):
            message = "All that was ever said is asked for without a moment."
            raise serializers.ValidationError({"history": message})
        return attrs


class AsksView(serializers.Serializer[Any]):
    """Nothing changed yet: a second person is asked."""

    approval = serializers.UUIDField(help_text="The request a second person decides.")
    url = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()


class Ending(Strict):
    at = Moment(required=False, help_text="Since when it does not hold any more; else now.")
    reason = serializers.CharField(max_length=300)


class Retiring(Strict):
    reason = serializers.CharField(max_length=300)


def clocks_of(given: dict[str, Any]) -> Clocks:
    return Clocks.at(given.get("as_of"), given.get("known_at"))


def claims(rows: ClaimQuerySet, given: dict[str, Any]) -> ClaimQuerySet:
    """Keep the claims that were asked for."""
    found = rows.select_related("recorded_by")
    if "asset" in given:
        found = found.filter(asset=given["asset"])
    if given["history"]:
        return found
    clocks = clocks_of(given)
    return found.at(as_of=clocks.as_of, known_at=clocks.known_at)


def listed(
    rows: QuerySet[Any],
    given: dict[str, Any],
    *,
    by: str,
    shown: Callable[[list[Any]], Any],
) -> Response:
    """Answer with one page."""
    try:
        found = page(rows, by=by, after=given["after"], limit=given["limit"])
    except BadCursor as error:
        raise serializers.ValidationError({"after": str(error)}) from error
    all_of_them = total(rows, exact=given["count"] == "exact")
    return Response(
        {
            "results": shown(found.rows),
            "next": found.next,
            "total": all_of_them.count,
            "is_total_exact": all_of_them.is_exact,
        }
    )


def shown_as(shape: type[serializers.BaseSerializer[Any]]) -> Callable[[list[Any]], Any]:
    return lambda rows: shape(rows, many=True).data


def a_page_of(shape: type[serializers.BaseSerializer[Any]], name: str) -> Any:
    """Describe a page for the OpenAPI document."""
    fields = {
        "results": shape(many=True),
        "next": serializers.CharField(help_text="Pass as `after`; empty at the end."),
        "total": serializers.IntegerField(),
        "is_total_exact": serializers.BooleanField(help_text="Whether it was counted."),
    }
    return type(f"{name}Page", (serializers.Serializer,), fields)


def version_of(request: Request) -> int:
    """Read the version the caller saw."""
    text = request.headers.get("If-Match", "").strip()
    if not text:
        raise VersionMissing
    found = SEEN.fullmatch(text)
    if found is None:
        raise serializers.ValidationError({"If-Match": 'Name one version, as in "3".'})
    return int(found[1] or found[2])


def versioned(body: Any, row: Registered, status: int = 200, **headers: str) -> Response:
    return Response(body, status=status, headers={"ETag": f'"{row.version}"', **headers})


def made(body: Any, name: str, key: UUID | str) -> Response:
    """Answer that something new is there, and where."""
    return Response(
        body, status=HTTPStatus.CREATED, headers={"Location": reverse(name, args=[key])}
    )


def waits(asked: ApprovalRequest) -> Response:
    """Answer that a second person is asked."""
    url = reverse("api-approval", args=[asked.pk])
    body = {"approval": asked.pk, "url": url, "title": asked.title, "state": asked.state}
    return Response(AsksView(body).data, status=HTTPStatus.ACCEPTED, headers={"Location": url})


def ends(
    request: Request, end: Callable[..., Any], shape: type[serializers.BaseSerializer[Any]]
) -> Response:
    """End a claim as asked for, and answer with it, or with nothing where it never held."""
    given = sent(request, Ending)
    found = end(at=at_or_now(given), reason=given["reason"], by=caller(request))
    return Response(shape(found).data) if found else Response(status=HTTPStatus.NO_CONTENT)


def at_or_now(given: dict[str, Any]) -> Any:
    return given.get("at") or timezone.now()


ASKED = OpenApiResponse(AsksView, description="A second person is asked; nothing changed yet.")
ENDED = OpenApiResponse(description="It never held, and was taken back.")
