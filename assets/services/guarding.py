"""What every change that two people make has alike: it is asked for with its impact, and carried out once.

The values wait in the rows of the instruction, which is what whoever agrees reads. PostgreSQL looks the
released approval up by itself before it takes the change. What a change would touch is told by providers
that other apps name in the settings; one that fails is missing on the page and named in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from assets.errors import Unfounded
from assets.models import QualityFlag
from cqops.platform.access.allowances import approved
from cqops.platform.access.models import User
from cqops.platform.approvals.exhibits import Finding, Severity
from cqops.platform.approvals.instruction import Content
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.rules import Facts
from cqops.platform.approvals.services import ask
from cqops.platform.approvals.services.powers import carry_out, refuse_alone

log = logging.getLogger(__name__)
ALWAYS, YES, NO = "always", "yes", "no"


@dataclass(frozen=True, slots=True)
class Impact:
    """One thing a change would touch, as `Orders open`, and how much of it in words."""

    label: str
    words: str
    is_grave: bool = False


Provider = Callable[[Collection[UUID]], Iterable[Impact]]


def impact_on(assets: Collection[UUID]) -> list[Impact]:
    """Gather what other apps have that rests on these assets."""
    found: list[Impact] = []
    for path in settings.REGISTRY_IMPACT:
        provider: Provider = import_string(path)
        try:
            with transaction.atomic():
                found.extend(provider(assets))
        except Exception:  # a page without one line is better than no page
            log.exception("%s does not say what a change of the registry would touch", path)
    return found


def flags_on(assets: Collection[UUID]) -> list[Impact]:
    """Tell what warnings stand against these assets; the registry's own provider."""
    standing = QualityFlag.objects.standing(now=timezone.now()).filter(asset__in=assets)
    found = [f"{flag.asset}: {flag}" for flag in standing.select_related("asset")]
    return [Impact("Flags", "; ".join(found) or "none", is_grave=bool(found))]


def asking(  # noqa: PLR0913 -- a request is all of this
    *,
    kind: str,
    subject_id: str | UUID,
    title: str,
    instruction: Content,
    assets: Collection[UUID],
    by: User,
    reason: str,
    also: Collection[Impact] = (),
) -> Request:
    """Ask a second person, who reads what it would touch beside what is asked for."""
    if not reason.strip():
        message = "Say why: whoever agrees reads it, and so does the audit."
        raise Unfounded(message)
    impact = [*impact_on(assets), *also]
    request = ask(
        kind=kind,
        subject_kind=kind,
        subject_id=subject_id,
        instruction=instruction,
        snapshot=as_content(impact),
        requested_by=by,
        facts=Facts(),
        title=title,
        findings=[Finding(Severity.MEDIUM, one.label, one.words) for one in impact if one.is_grave],
    )
    return refuse_alone(request)


def as_content(impact: Iterable[Impact]) -> Content:
    return {one.label: one.words for one in impact}


def carrying_out(request: Request, *, instruction: Content, act: Callable[[], None]) -> bool:
    """Use the approval, and let PostgreSQL see it while the change is made."""

    def allowed() -> None:
        with approved(request.pk):
            act()

    return carry_out(request, instruction=instruction, act=allowed)


def moment(text: str) -> datetime | None:
    """Read a moment back; the beginning of everything is none."""
    return None if text == ALWAYS else datetime.fromisoformat(text)
