"""What the desk's collectors hear about the registry."""

from __future__ import annotations

from assets.services.findings import counts
from cqops.platform.telemetry.metrics import Reading


def findings_open() -> list[Reading]:
    """Count the findings that nobody has decided about, by kind; a kind without any says zero."""
    return [
        Reading(
            name="cqops_registry_findings_open",
            what="Findings of the registry's scan that wait for somebody, by kind.",
            labels={"kind": kind},
            value=count,
        )
        for kind, count in counts().items()
    ]
