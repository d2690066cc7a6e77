from datetime import timedelta

import pytest
from django.utils import timezone

from portfolio.models import Reconciliation
from portfolio.services.reconciliation import request_reconciliation
from portfolio.services.waiting import queue
from tests import cast

pytestmark = pytest.mark.django_db


def requested(name, *, ago, started=False):
    at = timezone.now() - timedelta(seconds=ago)
    run = request_reconciliation(account=cast.account(name))
    Reconciliation.objects.filter(pk=run.pk).update(
        requested_at=at, started_at=at if started else None
    )


def test_none_waits_until_somebody_asks():
    assert queue() == (True, "none waits for a worker")


def test_one_that_nobody_begins_is_late_and_one_at_work_is_not():
    requested("Main", ago=600, started=True)
    assert queue() == (True, "none waits for a worker; 1 at work")
    requested("Other", ago=61)

    is_well, words = queue()
    assert not is_well
    assert words.startswith("1 waiting, the oldest 61.")
    assert words.endswith("; 1 at work")
