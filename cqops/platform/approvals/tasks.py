from __future__ import annotations

from celery import shared_task

from cqops.platform.approvals.services.requests import expire_due
from cqops.platform.approvals.services.settling import settle, settle_left


@shared_task(name="approvals.settle")
def settle_request(request_id: str) -> None:
    settle(request_id)


@shared_task(name="approvals.sweep")
def sweep_requests() -> None:
    expire_due()
    settle_left()
