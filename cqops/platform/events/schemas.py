"""What events there are: each app lists its own in one module, and settings name those modules.

A schema is a promise to programs that were written against it. A field may be added with a default;
anything else is a new version, sent beside the old one until nobody reads that any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import get_type_hints

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Schema:
    """One version of one kind of event, and the kind of thing it is about."""

    kind: str
    version: int
    aggregate: str
    payload: type[msgspec.Struct]


class UnknownEvent(LookupError):
    """No app lists this event, or its payload is not the one it promises."""


@cache
def registered() -> dict[tuple[str, int], Schema]:
    """Collect the schemas of every app; two of the same name are a mistake in the code."""
    found: dict[tuple[str, int], Schema] = {}
    for path in settings.EVENT_SCHEMAS:
        for schema in import_string(path):
            if (schema.kind, schema.version) in found:
                message = f"{schema.kind} version {schema.version} is listed twice."
                raise UnknownEvent(message)
            found[schema.kind, schema.version] = schema
    return found


def checked(kind: str, version: int, aggregate: str, payload: msgspec.Struct) -> Schema:
    schema = registered().get((kind, version))
    if schema is None or schema.aggregate != aggregate or type(payload) is not schema.payload:
        message = f"{kind} version {version} about {aggregate!r} with {type(payload).__name__}"
        raise UnknownEvent(message)
    return schema


def documented() -> str:
    """Write the page that programs are written against."""
    return "\n".join([*_HEAD, "", *_sections()])


_HEAD = """# Events

Written by `manage.py events docs`; a test keeps it true.

Every event is written in the transaction of the change it tells of, and published to a Redis Stream: one
stream a kind of thing, `events:<aggregate>`. It arrives at least once, and in order for each single
thing (order, position). So a consumer keeps the `id` of what it has done, and does nothing twice;
`examples/consume_events.py` is a whole one.

An entry of a stream has these fields:

| field | meaning |
| --- | --- |
| `id` | number of the event; the same again when it is delivered twice |
| `kind`, `version` | which of the schemas below the payload follows |
| `aggregate_id` | which order or position it is about |
| `at` | when it happened, UTC |
| `request_id`, `trace_id` | where it came from, as in logs and audit; may be empty |
| `payload` | JSON; amounts are text, exact to the last digit |

A field may be added to a payload, so read by name and pass over what you do not know. Any other change
is a new version, sent beside the old one.
""".splitlines()


def _sections() -> Iterator[str]:
    for (kind, version), schema in sorted(registered().items()):
        yield f"## {kind}, version {version}"
        yield ""
        yield f"{(schema.payload.__doc__ or '').strip()} Stream `events:{schema.aggregate}`."
        yield ""
        yield "| field | type |"
        yield "| --- | --- |"
        hints = get_type_hints(schema.payload)
        for field in msgspec.structs.fields(schema.payload):
            yield f"| `{field.encode_name}` | {_words(hints[field.name])} |"
        yield ""


def _words(hint: object) -> str:
    names = {"str": "text", "int": "whole number", "bool": "true or false", "Decimal": "amount"}
    names |= {"datetime": "time", "UUID": "id", "NoneType": "null"}
    parts = getattr(hint, "__args__", None) or [hint]
    return " or ".join(names[part.__name__] for part in parts)
