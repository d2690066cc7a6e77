"""What the engine writes into the audit log: one entry a step, all under the request's own id."""

from __future__ import annotations

from cqops.platform.access.models import User
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.states import State, Verdict
from cqops.platform.audit.services import record


def asked(request: Request) -> None:
    record(
        action="approval.requested",
        subject=request,
        after={
            "kind": request.kind,
            "about": f"{request.subject_kind} {request.subject_id}",
            "instruction": request.instruction_texts,
            "instruction_hash": request.instruction_hash,
            "rule": request.rule_name,
            "deadline": request.deadline,
        },
        decision_id=str(request.pk),
        by=request.requested_by,
    )


def decided(decision: Decision) -> None:
    record(
        action="approval.decided",
        subject=decision.request,
        after={
            "verdict": decision.verdict,
            "instruction_hash": decision.instruction_hash,
            "seats": decision.seats,
            **_details(decision),
        },
        reason=decision.reason,
        decision_id=str(decision.request_id),
        by=decision.by,
    )


def _details(decision: Decision) -> dict[str, object]:
    """Name the code of a refusal, and what was confirmed apart before an approval."""
    if decision.verdict == Verdict.REFUSE:
        return {"code": decision.code}
    confirmed = [one.title for one in decision.request.to_confirm]
    return {"confirmed": confirmed} if confirmed else {}


def moved(request: Request, *, here: State, by: User | None) -> None:
    record(
        action=f"approval.{request.state}",
        subject=request,
        before={"state": here},
        after={"state": request.state},
        reason=request.reason,
        decision_id=str(request.pk),
        by=by,
    )
