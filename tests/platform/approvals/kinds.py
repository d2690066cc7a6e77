"""A kind of request as a test needs it: its subject is a line in a dictionary."""

from cqops.platform.access.policy import Action
from cqops.platform.approvals.kinds import Kind

CARRIED_OUT: list[tuple[str, str]] = []
SUBJECTS: dict[str, dict[str, str]] = {}


def settle(request):
    CARRIED_OUT.append((str(request.pk), request.state))


def instruction(subject_id):
    return SUBJECTS[subject_id]


transfer = Kind(
    label="A transfer",
    asks=Action.ORDER_PLACE,
    decides=Action.ORDER_APPROVE,
    settle=settle,
    instruction=instruction,
)
