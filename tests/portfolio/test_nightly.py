"""The night as it runs: beat's own entry, the broker, a worker, and what stands in the morning."""

import importlib
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from celery.contrib.testing.worker import start_worker
from django.apps import apps
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from cqops.celery import app
from cqops.platform.background import doorbells
from cqops.platform.schedules.scheduler import DeskScheduler
from portfolio.models import BreakState, Outcome, Reconciliation, Trigger
from portfolio.services import reconciliation
from tests import cast
from venues.simulator.faults import Kind

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.timeout(60),
]
nightly = importlib.import_module("portfolio.migrations.0004_nightly_reconciliation")


@pytest.fixture
def night(monkeypatch):
    """Let a night pass: what the schedule holds goes out by beat, and a worker does what is there."""
    monkeypatch.setattr(reconciliation, "RECHECK_SECONDS", 0.1)
    nightly.plan(apps, None)
    # Beat loads only what may fall due within hours of now.
    planned = PeriodicTask.objects.get(name=nightly.NAME).crontab
    planned.hour = str(timezone.now().astimezone(planned.timezone).hour)
    planned.save()
    app.control.purge()

    def passes():
        before = Reconciliation.objects.count()
        with start_worker(app, pool="solo", perform_ping_check=False, loglevel="WARNING"):
            _beat(timezone.now() - timedelta(days=2))
            doorbells.wait()
            return _until_over(before + 1)

    yield passes
    app.control.purge()


def _beat(last_run_at):
    """Do what beat does with an entry whose time has come, and only with that one."""
    scheduler = DeskScheduler(app=app)
    entry = scheduler.schedule[nightly.NAME]
    entry.last_run_at = last_run_at
    is_due, _ = scheduler.is_due(entry)
    assert is_due
    assert entry.task == "portfolio.reconcile_all"
    scheduler.apply_entry(entry, producer=scheduler.producer)


def _until_over(wanted):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        runs = list(Reconciliation.objects.order_by("requested_at"))
        if len(runs) >= wanted and all(run.is_over for run in runs):
            return runs
        time.sleep(0.1)
    pytest.fail(f"not over: {[(run.outcome, run.words) for run in runs]}")


def test_a_scheduled_night_finds_a_hidden_fill_and_a_changed_balance(desk, night):
    desk.run()
    desk.fail(Kind.HIDE_FILL, symbol="ETH-USD")
    desk.fail(Kind.WRONG_BALANCE, currency="SOL", amount=Decimal("12.5"))
    hidden = desk.trade()

    *_, run = night()

    found = desk.found()
    assert (run.account, run.triggered_by, run.by) == (desk.account, Trigger.SCHEDULE, None)
    assert (run.outcome, run.breaks_open) == (Outcome.BREAKS, 4)
    assert found["balance:SOL"].amount == Decimal("12.5")
    order = found[f"order:here:{hidden.client_order_id}"]
    assert (order.ours["Filled"], order.theirs["Filled"]) == ("0", "0.05")
    assert {row.state for row in found.values()} == {BreakState.OPEN}


def test_a_scheduled_night_without_a_difference_says_nothing_open(desk, night):
    desk.trade()
    desk.run()

    *_, run = night()

    assert (run.outcome, run.words, run.triggered_by) == (
        Outcome.CLEAN,
        "nothing open",
        Trigger.SCHEDULE,
    )
    assert desk.found() == {}


def test_an_account_that_is_switched_off_is_left_alone_at_night(desk, night):
    idle = cast.account("Idle")
    idle.is_enabled = False
    idle.save()
    desk.run()

    runs = night()

    assert {run.account_id for run in runs} == {desk.account.pk}
