from __future__ import annotations

from celery import shared_task

from cqops.platform.audit.anchoring import anchor
from cqops.platform.audit.proof import verify_and_remember


@shared_task(name="audit.anchor")
def anchor_head() -> None:
    anchor()


@shared_task(name="audit.verify")
def verify_chain() -> None:
    verify_and_remember()
