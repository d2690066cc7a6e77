"""The one way into the log: in the caller's transaction, so that a change and its record are one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Model
from django.utils import timezone
from django.utils.module_loading import import_string

from cqops.platform.audit import chain, context
from cqops.platform.audit.models import Entry
from cqops.platform.telemetry.logs import decision_id as current_decision_id
from cqops.platform.telemetry.logs import request_id as current_request_id
from cqops.platform.telemetry.logs import trace_id as current_trace_id

if TYPE_CHECKING:
    # At run time the people themselves are kept by services that record here.
    from cqops.platform.access.models import User

Values = Mapping[str, Any]


def record(  # noqa: PLR0913 -- each names one thing an entry says
    *,
    action: str,
    subject: Model | None = None,
    subject_kind: str = "",
    subject_id: str = "",
    before: Values | None = None,
    after: Values | None = None,
    reason: str = "",
    decision_id: str = "",
    by: User | None = None,
) -> Entry:
    """Write down what was done, decided, refused or taken out, and by whom through which door."""
    here = context.current()
    person = by or here.actor()
    content: dict[str, Any] = {
        "at": timezone.now(),
        "who_id": str(person.pk) if person else "",
        "who": person.username if person else here.who,
        "roles": ", ".join(sorted(person.roles)) if person else "",
        "door": here.door.value,
        "origin": here.origin,
        "action": action,
        "subject_kind": subject._meta.label_lower if subject else subject_kind,
        "subject_id": str(subject.pk) if subject else subject_id,
        "subject_text": str(subject) if subject else "",
        "before": _presentable(before),
        "after": _presentable(after),
        "reason": _presentable(reason),
        "request_id": here.request_id or current_request_id.get(),
        "trace_id": current_trace_id.get(),
        "decision_id": decision_id or current_decision_id.get(),
    }
    entry = Entry(**{name: _fitted(name, value) for name, value in content.items()})
    entry.hash = chain.entry_hash(entry.content())
    entry.save(force_insert=True)
    return entry


def changes(
    before_obj: Model | None, after_obj: Model, fields: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the named fields that differ, as they were and as they are; all of them for a new row."""
    after = {name: getattr(after_obj, name) for name in fields}
    if before_obj is None:
        return {}, after
    before = {name: getattr(before_obj, name) for name in after}
    differing = [name for name in after if before[name] != after[name]]
    return {name: before[name] for name in differing}, {name: after[name] for name in differing}


def record_saved(
    *,
    kind: str,
    old: Model | None,
    new: Model,
    fields: Sequence[str],
    reason: str = "",
    by: User | None = None,
) -> Entry | None:
    """Record that a row was created or changed; saving what was there already is no change."""
    before, after = changes(old, new, fields)
    if old is not None and not after:
        return None
    return record(
        action=f"{kind}.{'created' if old is None else 'changed'}",
        subject=new,
        before=before if old is not None else None,
        after=after,
        reason=reason,
        by=by,
    )


def stored(row: Model) -> Any:
    """Read a row as the database holds it now, to compare a change with; `None` for a new one."""
    manager = row._meta.default_manager
    return manager.filter(pk=row.pk).first() if manager else None


def _fitted(name: str, value: Any) -> Any:
    """Cut a text to its column, before it is hashed."""
    limit = getattr(Entry._meta.get_field(name), "max_length", None)
    if not isinstance(value, str):
        return value
    clean = _text(value)
    return clean[:limit] if limit else clean


def _presentable(value: Any) -> Any:
    """Hide secrets and write values so that they come back from the database exactly as hashed."""
    if value is None:
        return None
    redact: Callable[[object], object] = import_string(settings.AUDIT_REDACT)
    return redact(_plain(value))


def _plain(value: Any) -> Any:
    """Turn a value into JSON's own, with decimals and everything else exact as text."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_text(str(name)): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(inner)) for inner in value)
    return _text(_word(value))


def _word(value: Any) -> str:
    if isinstance(value, Decimal):
        return _amount(value)
    if isinstance(value, datetime):
        return chain.moment(value)
    if isinstance(value, Model):
        return str(value.pk)
    return "[bytes]" if isinstance(value, bytes | memoryview) else str(value)


def _amount(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: str) -> str:
    """Leave out what PostgreSQL cannot hold."""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()
