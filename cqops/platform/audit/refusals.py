"""A refusal at a door is written down like any other; failing to do so never opens or breaks the door."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError

from cqops.platform.audit.context import Context, Door, entering
from cqops.platform.audit.services import record

log = logging.getLogger(__name__)


def refused_address(path: str, method: str | None) -> None:
    _write("address", path, f"{method} is not allowed for these roles.")


def refused_channel(person: Any, channel: str) -> None:
    with entering(Context(door=Door.SOCKET, origin="/ws/live/", person=person)):
        _write("channel", channel, "To look at it is not allowed for these roles.")


def _write(kind: str, name: str, reason: str) -> None:
    try:
        record(action="access.refused", subject_kind=kind, subject_id=name, reason=reason)
    except DatabaseError as error:
        log.warning("a refusal was not recorded: %s", error)
