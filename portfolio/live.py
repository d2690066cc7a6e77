"""What open pages hear about positions, reconciliations and breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqops.platform.access.policy import Action
from cqops.platform.live.channels import Channel, Keep, no_snapshot
from cqops.platform.live.publish import publish_on_commit

if TYPE_CHECKING:
    from portfolio.models import Break, Position, Reconciliation

positions_channel = Channel(action=Action.POSITION_VIEW, keep=Keep.ALL, snapshot=no_snapshot)
reconciliations_channel = Channel(action=Action.RECON_VIEW, keep=Keep.ALL, snapshot=no_snapshot)
breaks_channel = Channel(action=Action.RECON_VIEW, keep=Keep.ALL, snapshot=no_snapshot)


def positions_changed(position: Position) -> None:
    publish_on_commit(
        "positions",
        {"position_id": position.pk, "executions": position.executions},
        about=position,
    )


def reconciliation_changed(run: Reconciliation) -> None:
    publish_on_commit(
        "reconciliations",
        {"reconciliation_id": run.pk, "stage": run.stage, "outcome": run.outcome},
        about=run,
    )


def break_changed(found: Break) -> None:
    publish_on_commit(
        "breaks",
        {"break_id": found.pk, "version": found.version, "state": found.state},
        about=found,
    )
