"""Log lines with the request, trace and decision they belong to, and without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from django.utils.module_loading import import_string

request_id: ContextVar[str] = ContextVar("request_id", default="")
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
decision_id: ContextVar[str] = ContextVar("decision_id", default="")


def _ids() -> dict[str, str]:
    found = {"request": request_id.get(), "trace": trace_id.get(), "decision": decision_id.get()}
    return {name: value for name, value in found.items() if value}


class Lines(logging.Formatter):
    """Time in UTC, level, where from, what, and the ids that are known."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def __init__(self, redact: str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s%(ids)s")
        self._redact_path = redact
        self._redact: Callable[[str], str] | None = None

    def format(self, record: logging.LogRecord) -> str:
        record.ids = "".join(f" {name}={value}" for name, value in _ids().items())
        # Tracebacks are part of the text by now, so what they quote is covered too.
        return self.redacted(super().format(record))

    def redacted(self, text: str) -> str:
        if self._redact is None:
            self._redact = import_string(self._redact_path)
        return self._redact(text)


class JsonLines(Lines):
    """The same as one JSON object a line, for collectors; `extra={"fields": ...}` adds its own fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            **{name: self._fit(value) for name, value in getattr(record, "fields", {}).items()},
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redacted(record.getMessage()),
            **_ids(),
        }
        if record.exc_info:
            line["traceback"] = self.redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)

    def _fit(self, value: object) -> object:
        return value if isinstance(value, int | float) else self.redacted(str(value))
