"""What open pages hear about approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqops.platform.access.policy import Action
from cqops.platform.live.channels import Channel, Keep, no_snapshot
from cqops.platform.live.publish import publish_on_commit

if TYPE_CHECKING:
    from cqops.platform.approvals.models import Request

approvals_channel = Channel(action=Action.APPROVAL_VIEW, keep=Keep.ALL, snapshot=no_snapshot)


def request_changed(request: Request) -> None:
    publish_on_commit(
        "approvals",
        {"request_id": request.pk, "version": request.version, "state": request.state},
        about=request,
    )
