"""How the registry's endpoints refuse: problem details (RFC 9457) that name the field, and what stands."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import IntegrityError
from django.db.models import Model
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.exceptions import ValidationError as BadInput
from rest_framework.response import Response
from rest_framework.settings import api_settings

from assets.api.shapes import told
from assets.errors import Conflict, Stale, Unfounded
from assets.models.registered import Registered
from assets.services.claims import constraint_of
from cqops.platform.approvals.errors import BadReason, NotYours, Refused

NOT_HELD = "This cannot stand beside what the registry holds: the database refuses it."
MEDIA = "application/problem+json"


class FieldProblem(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Empty where it is about several together.")
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    type = serializers.CharField(default="about:blank")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened and what to do, in a sentence.")
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]
    current = serializers.DictField(
        required=False, help_text="With 412: how it stands now, with its version."
    )
    existing = serializers.DictField(
        required=False, help_text="With 409: what stands in its place already."
    )


class VersionMissing(APIException):
    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_detail = 'Send the version you saw: If-Match: "3".'


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer as a problem, whatever went wrong; what nobody foresaw is not answered here."""
    if isinstance(error, Refused):
        return _answer(_status(error), str(error), **_standing(error))
    if isinstance(error, ValidationError):
        return _invalid(_fields(error))
    if isinstance(error, IntegrityError) and (name := constraint_of(error)):
        return _answer(HTTPStatus.CONFLICT, f"{NOT_HELD} ({name})")
    return _of_the_framework(error, context)


def _of_the_framework(error: Exception, context: dict[str, Any]) -> Response | None:
    """Take what the product answers anywhere, and give it the form of a problem."""
    handler: Any = api_settings.EXCEPTION_HANDLER
    known = Http404() if isinstance(error, ObjectDoesNotExist) else error
    answer: Response | None = handler(known, context)
    if answer is None:
        return None
    if isinstance(error, BadInput):
        return _invalid(_flat(answer.data))
    made = _answer(answer.status_code, str(answer.data.get("detail", "")))
    for name in {"WWW-Authenticate", "Retry-After"} & set(answer.headers):
        made[name] = answer[name]
    return made


def _status(error: Refused) -> HTTPStatus:
    if _is_of_a_version(error):
        return HTTPStatus.PRECONDITION_FAILED
    if isinstance(error, NotYours):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, (Unfounded, BadReason)):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.CONFLICT


def _standing(error: Refused) -> dict[str, Any]:
    existing = getattr(error, "existing", None)
    if not isinstance(error, Conflict) or not isinstance(existing, Model):
        return {}
    return {"current" if _is_of_a_version(error) else "existing": told(existing)}


def _is_of_a_version(error: Refused) -> bool:
    """Tell whether a version was named that is not the present one; claims have none."""
    return isinstance(error, Stale) and isinstance(error.existing, Registered)


def _invalid(errors: list[dict[str, str]]) -> Response:
    said = " ".join(f"{one['field']}: {one['detail']}".removeprefix(": ") for one in errors)
    return _answer(HTTPStatus.BAD_REQUEST, said, errors=errors)


def _answer(status: int, detail: str, **more: Any) -> Response:
    words, said = HTTPStatus(status).phrase, _writable(detail)
    body = {"type": "about:blank", "title": words, "status": int(status), "detail": said, **more}
    return Response(body, status=int(status), content_type=MEDIA)


def _writable(text: str) -> str:
    """Replace halves of letters that a caller sent: a refusal often repeats what it refuses."""
    return text.encode("utf-8", "replace").decode()


def _fields(error: ValidationError) -> list[dict[str, str]]:
    if not hasattr(error, "error_dict"):
        return [{"field": "", "detail": one} for one in error.messages]
    return [
        {"field": "" if name == NON_FIELD_ERRORS else name, "detail": one}
        for name, said in error.message_dict.items()
        for one in said
    ]


def _flat(data: Any, field: str = "") -> list[dict[str, str]]:
    if isinstance(data, dict):
        return [
            one
            for name, said in data.items()
            for one in _flat(
                said, field if name == api_settings.NON_FIELD_ERRORS_KEY else _under(field, name)
            )
        ]
    if isinstance(data, list):
        return [one for said in data for one in _flat(said, field)]
    return [{"field": _writable(field), "detail": _writable(str(data))}]


def _under(field: str, name: Any) -> str:
    return f"{field}.{name}" if field else str(name)


WORDS = {
    400: "Not understood; `errors` names the fields.",
    401: "No token, or one that is unknown, expired or revoked.",
    403: "Not allowed with these roles, or with this token.",
    404: "There is no such thing.",
    409: "Something else stands in its place; `existing` is that.",
    412: "Somebody changed it meanwhile; `current` is how it stands now.",
    422: "Nothing is said without evidence or a reason.",
    428: "The version you saw is missing (`If-Match`).",
}


def refusals(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Describe what an endpoint may refuse with, besides what all of them may."""
    return {
        (status, MEDIA): OpenApiResponse(Problem, description=WORDS[status])
        for status in (401, 403, *statuses)
    }
