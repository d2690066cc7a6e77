import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.approvals.services import Facts, ask
from tests import cast
from tests.platform.approvals import kinds

KIND = "test.transfer"


@pytest.fixture(autouse=True)
def _a_kind(settings):
    settings.APPROVAL_KINDS = {
        **settings.APPROVAL_KINDS,
        KIND: "tests.platform.approvals.kinds.transfer",
    }
    kinds.CARRIED_OUT.clear()
    kinds.SUBJECTS.clear()


@pytest.fixture
def trader(db):
    return cast.person(Role.TRADER, "tom")


@pytest.fixture
def approver(db):
    return cast.person(Role.APPROVER, "alma")


@pytest.fixture
def asked(trader):
    """Ask for a transfer of so much; the subject's row is `kinds.SUBJECTS`."""

    def make(amount="10.50", *, by=None, minutes=60, facts=None, **more):
        subject = str(uuid.uuid4())
        kinds.SUBJECTS[subject] = {"Amount": amount, "To": "cold wallet"}
        return ask(
            kind=KIND,
            subject_kind="test.row",
            subject_id=subject,
            instruction=kinds.SUBJECTS[subject],
            snapshot={"Balance": "100"},
            requested_by=by or trader,
            facts=facts or Facts(),
            deadline=timezone.now() + timedelta(minutes=minutes),
            **more,
        )

    return make
