from datetime import timedelta

import pytest
from django.utils import timezone

from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.approvals.status import unsettled

pytestmark = pytest.mark.django_db


def test_what_is_decided_and_not_carried_out_ages(asked, approver):
    request = asked()
    assert unsettled() == (True, "everything decided is carried out")
    decide(
        request_id=request.pk,
        by=approver,
        verdict=Verdict.APPROVE,
        reason="",
        seen_hash=request.instruction_hash,
    )

    is_well, words = unsettled()
    assert is_well
    assert words.startswith("1 decided and not carried out, the oldest 0.")
    settle_left()
    assert unsettled() == (True, "everything decided is carried out")


def test_what_nobody_carries_out_for_half_a_minute_is_late(asked, approver, monkeypatch):
    request = asked()
    decide(
        request_id=request.pk,
        by=approver,
        verdict=Verdict.APPROVE,
        reason="",
        seen_hash=request.instruction_hash,
    )
    assert Request.objects.get().settled_at is None
    later = timezone.now() + timedelta(seconds=31)
    monkeypatch.setattr("cqops.platform.approvals.status.timezone.now", lambda: later)

    assert not unsettled()[0]
