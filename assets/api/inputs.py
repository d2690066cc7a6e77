"""What comes in: names that exist, moments with a zone, exact numbers, and rows that are there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as DjangoError
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from assets.fields import DIGITS, PLACES
from assets.models.registered import refuse_unkept

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
REASON = "For the history, and for whoever has to agree."

M = TypeVar("M", bound=Model)


# What JSON writes each kind of field as, and how that is asked for. The framework would take a number for
# text, "yes" for true and nothing for no row at all.
WRITTEN: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type, str], ...] = (
    (serializers.BooleanField, bool, "Send true or false."),
    (serializers.IntegerField, int, "Send a whole number."),
    (serializers.CharField, str, "Send text."),
    (serializers.UUIDField, str, "Send an id as text."),
    (serializers.PrimaryKeyRelatedField, str, "Send an id as text."),
)


class Strict(serializers.Serializer[Any]):
    """Refuses names it does not know: one that is spelt wrong would otherwise be left out in silence.

    What comes as JSON is taken as it is written, and not as something it might be read as.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            if strange := sorted(set(data) - set(self.fields)):
                raise serializers.ValidationError(
                    {str(name): ["There is nothing of this name here."] for name in strange}
                )
            wrong = self._written_otherwise(data) if self.context.get("is_json") else {}
            if wrong:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _written_otherwise(self, data: dict[str, Any]) -> dict[str, list[str]]:
        return {
            name: [words]
            for name, value in data.items()
            for kind, written, words in WRITTEN
            if value is not None and isinstance(self.fields[name], kind)
            if type(value) is not written or (value == "" and "id" in words)
        }


class Moment(serializers.DateTimeField):
    """A moment with its zone. Without one it would be somebody's local time, and nobody knows whose."""

    default_error_messages = {
        "naive": "Name the zone, as in 2026-03-01T12:00:00Z.",
        "far": "A moment lies between the years 1970 and 2200.",
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        if not FIRST <= value <= LAST:
            self.fail("far")
        return value.astimezone(UTC)


class Span(Strict):
    """For how long something is true; both ends may be open."""

    valid_from = Moment(required=False, help_text="Else it always was.")
    valid_to = Moment(required=False, help_text="Else until further notice.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if {"valid_from", "valid_to"} <= set(attrs) and attrs["valid_to"] <= attrs["valid_from"]:
            raise serializers.ValidationError({"valid_to": "It ends after it began."})
        return attrs


class ExactNumber(serializers.DecimalField):
    """A decimal string. A JSON number is not exact."""

    default_error_messages = {"text": 'Send a decimal string such as "0.5".'}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(DIGITS, PLACES, normalize_output=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("text")
        return super().to_internal_value(data)


class Metadata(serializers.DictField):
    """Any JSON object that PostgreSQL can keep."""

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        try:
            refuse_unkept(found)
        except DjangoError as error:
            raise serializers.ValidationError(error.messages) from error
        return found


def named(
    rows: QuerySet[M], key: serializers.Field[Any, Any, Any, Any] | None = None, **kwargs: Any
) -> serializers.PrimaryKeyRelatedField[M]:
    """Take the id of a row that is there."""
    return serializers.PrimaryKeyRelatedField(
        queryset=rows, pk_field=key or serializers.UUIDField(), **kwargs
    )


def sent(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Read a body."""
    return _read(shape, request.data, is_json=True)


def asked(request: Request, shape: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Read what stands behind the question mark."""
    return _read(shape, request.query_params.dict(), is_json=False)


def _read(shape: type[serializers.Serializer[Any]], data: Any, *, is_json: bool) -> dict[str, Any]:
    found = shape(data=data, context={"is_json": is_json})
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
