"""What a decider reads before deciding: what was seen when it was asked beside what is true now."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from cqops.platform.approvals.instruction import Row, rows_of
from cqops.platform.approvals.kinds import UnknownKind, kind_of
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.states import OPEN, State

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the snapshot; `now` is missing where the present cannot be read."""

    then: Row
    now: Row | None

    @property
    def is_changed(self) -> bool:
        return self.now is not None and self.now.text != self.then.text


def side_by_side(request: Request) -> list[Seen]:
    """Compare the snapshot with the present; a request that is over keeps its past."""
    now = _now(request) if State(request.state) in OPEN else {}
    return [Seen(row, now.get(row.label)) for row in request.snapshot_rows]


def _now(request: Request) -> dict[str, Row]:
    try:
        read = kind_of(request.kind).now
        return {row.label: row for row in rows_of(read(request.subject_id))} if read else {}
    except Exception:  # what cannot be read now must not hide what is asked for
        log.exception("request %s: what is true now could not be read", request.pk)
        return {}


def page_of(request: Request) -> str:
    """Say where the subject itself is shown, or nothing."""
    try:
        page = kind_of(request.kind).page
    except UnknownKind:
        return ""
    return page(request.subject_id) if page else ""
