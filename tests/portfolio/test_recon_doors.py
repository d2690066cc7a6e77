"""Reconciliation through its doors: pages, REST, the schedule in the admin, and who gets through."""

import csv
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from cqops.celery import app
from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from cqops.platform.overview import gather
from cqops.platform.schedules.scheduler import DeskScheduler
from cqops.platform.schedules.services import FROM_SETTINGS, Times, change_schedule
from portfolio.models import Break, BreakState, Outcome, Reconciliation
from tests import cast

pytestmark = pytest.mark.django_db


def difference(number=0, **changes):
    at = timezone.now() - timedelta(hours=number)
    terms = {
        "account": cast.account(),
        "key": f"balance:{number}",
        "kind": "balance",
        "title": f"No {number} balance",
        "amount": Decimal("12.5"),
        "unit": "SOL",
        "ours": {"Total": "5000 SOL"},
        "theirs": {"Total": "5012.5 SOL"},
        "first_seen_at": at,
        "last_seen_at": at,
    }
    return Break.objects.create(**{**terms, **changes})


def ended(outcome, **changes):
    now = timezone.now()
    terms = {"account": cast.account(), "triggered_by": "schedule", "requested_at": now}
    return Reconciliation.objects.create(
        **{**terms, "started_at": now, "finished_at": now, "outcome": outcome, **changes}
    )


@pytest.fixture
def rene(client):
    person = cast.person(Role.RECON, "rene")
    client.force_login(person)
    return person


def test_the_page_says_in_words_how_each_account_stands(client, rene):
    cast.account()
    page = reverse("reconciliation")
    assert "Not reconciled yet" in client.get(page).content.decode()

    ended(Outcome.CLEAN, words="nothing open")
    assert ", nothing open." in client.get(page).content.decode()

    ended(Outcome.NOT_CHECKED, words="The venue is away.")
    text = client.get(page).content.decode()
    assert "Not checked at" in text
    assert "The venue is away." in text


def test_the_list_pages_by_key_and_misses_nothing(client, rene):
    made = {str(difference(number).pk) for number in range(120)}
    seen, page = [], f"{reverse('breaks')}?table=1"
    while page:
        answer = client.get(page)
        seen += [str(row.pk) for row in answer.context["breaks"]]
        cursor = answer.context["next_cursor"]
        page = f"{reverse('breaks')}?table=1&before={cursor.replace('+', '%2B')}" if cursor else ""

    assert len(seen) == len(set(seen))
    assert set(seen) == made


def test_filters_stand_in_the_address(client, rene):
    mine = difference(1, owner=rene)
    old = difference(24 * 8)
    over = difference(3, state=BreakState.RESOLVED, ended_at=timezone.now())

    def shown(query):
        return {row.pk for row in client.get(f"{reverse('breaks')}?{query}").context["breaks"]}

    assert shown("") == {mine.pk, old.pk}
    assert shown("owner=me") == {mine.pk}
    assert shown("owner=nobody") == {old.pk}
    assert shown("age=7") == {old.pk}
    assert shown("state=resolved") == {over.pk}
    assert shown("state=all") == {mine.pk, old.pk, over.pk}
    assert shown("kind=order") == set()
    assert shown("account=Nowhere") == set()


def test_the_export_is_what_the_list_shows(client, rene):
    difference(1)
    difference(2, state=BreakState.RESOLVED, ended_at=timezone.now())
    answer = client.get(f"{reverse('breaks')}?format=csv")

    (row,) = csv.DictReader(answer.content.decode().splitlines())
    assert (row["amount_theirs_less_ours"], row["unit"]) == ("12.5", "SOL")
    assert (row["ours"], row["theirs"]) == ("Total 5000 SOL", "Total 5012.5 SOL")


def test_a_break_is_taken_noted_and_explained_on_its_page(client, rene):
    found = difference()
    page = reverse("break", args=[found.pk])
    client.post(reverse("break-take", args=[found.pk]))
    client.post(reverse("break-note", args=[found.pk]), {"words": "Asked the venue."})
    client.post(reverse("break-note", args=[found.pk]), {"words": "A deposit.", "explain": "1"})

    found.refresh_from_db()
    assert (found.owner, found.state) == (rene, BreakState.EXPLAINED)
    text = client.get(page).content.decode()
    assert "Asked the venue." in text
    assert "Explained: A deposit." in text
    actions = set(Entry.objects.values_list("action", flat=True))
    assert {"break.assigned", "break.noted", "break.explained"} <= actions


def test_closing_needs_a_reason(client, rene):
    found = difference()
    answer = client.post(reverse("break-close", args=[found.pk]), {"reason": " "}, follow=True)

    found.refresh_from_db()
    assert found.state == BreakState.OPEN
    assert "Write a few words first" in answer.content.decode()


def test_a_viewer_reads_and_changes_nothing(client):
    client.force_login(cast.person(Role.VIEWER))
    found = difference()
    assert client.get(reverse("break", args=[found.pk])).status_code == 200
    for name in ("break-take", "break-note", "break-close"):
        assert client.post(reverse(name, args=[found.pk])).status_code == 403
    assert client.post(reverse("reconciliation-run")).status_code == 403


def test_a_grant_for_another_account_shows_no_break_of_this_one(client):
    elsewhere = cast.account("Elsewhere")
    client.force_login(cast.person(Role.RECON, "far", scope="account", scope_id=elsewhere.pk))
    found = difference()

    assert client.get(reverse("breaks")).context["breaks"] == []
    assert client.get(reverse("break", args=[found.pk])).status_code == 404
    client.post(reverse("reconciliation-run"), {"account": str(found.account_id)})
    assert not Reconciliation.objects.exists()


def test_rest_lists_and_runs(client, rene):
    difference()
    (row,) = client.get(reverse("api-breaks")).json()["results"]
    assert (row["amount"], row["state"], row["owner"]) == ("12.5", "open", None)

    where = {"venue": "coinbase_advanced", "account": "Main"}
    answer = client.post(reverse("api-reconciliations"), where, content_type="application/json")
    assert (answer.status_code, answer.json()["outcome"]) == (202, "")
    again = client.post(reverse("api-reconciliations"), where, content_type="application/json")
    assert again.json()["id"] == answer.json()["id"]
    one = client.get(reverse("api-reconciliation", args=[answer.json()["id"]]))
    assert one.json()["stage"] == "waiting for a worker"


def test_the_overview_names_breaks_by_age_and_accounts_not_checked(rene):
    difference(1)
    difference(30)
    ended(Outcome.CLEAN, requested_at=timezone.now() - timedelta(hours=1))
    ended(Outcome.NOT_CHECKED, words="The venue is away.")
    found = gather(rene, settings.OVERVIEW_PROVIDERS)
    rows = {row.title: row for row in found}

    assert len(rows) == len(found), "the overview says a thing twice"
    assert rows["Breaks older than a day"].count == 1
    assert rows["Breaks found in the last day"].count == 1
    away = rows[f"Not checked: {cast.account()}"]
    assert "The venue is away. Last clean at" in away.detail


# The schedule


@pytest.fixture
def nightly():
    crontab = CrontabSchedule.objects.create(minute="0", hour="2")
    PeriodicTask.objects.all().delete()
    return PeriodicTask.objects.create(
        name="nightly-reconciliation", task="portfolio.reconcile_all", crontab=crontab
    )


def test_the_migration_plans_every_night_at_two():
    task = PeriodicTask.objects.get(name="nightly-reconciliation")

    assert (task.task, task.crontab.hour, task.crontab.minute) == (
        "portfolio.reconcile_all",
        "2",
        "0",
    )
    assert str(task.crontab.timezone) == "UTC"


def test_the_nightly_time_is_changed_in_the_admin_and_written_into_the_log(client, rene, nightly):
    page = reverse("admin:django_celery_beat_periodictask_change", args=[nightly.pk])
    form = {"enabled": "on", "minute": "30", "hour": "4", "day_of_week": "mon-fri"}
    assert client.post(page, form).status_code == 302

    nightly.refresh_from_db()
    assert (nightly.crontab.minute, nightly.crontab.hour) == ("30", "4")
    entry = Entry.objects.get(action="schedule.changed")
    assert (entry.before["times"], entry.after["times"]) == (
        "0 2 * * * UTC",
        "30 4 * * mon-fri UTC",
    )


def test_what_is_no_time_is_refused(client, rene, nightly):
    page = reverse("admin:django_celery_beat_periodictask_change", args=[nightly.pk])
    form = {"enabled": "on", "minute": "70", "hour": "4", "day_of_week": "*"}

    assert client.post(page, form).status_code == 200
    nightly.refresh_from_db()
    assert nightly.crontab.hour == "2"


def test_who_may_not_change_schedules_cannot(nightly):
    for role in set(Role) - {Role.RECON, Role.ADMIN}:
        with pytest.raises(PermissionDenied):
            change_schedule(
                task_id=nightly.pk,
                times=Times(minute="1", hour="1"),
                enabled=False,
                by=cast.person(role),
            )


def test_beat_takes_the_settings_into_the_database_with_their_pace_and_expiry(
    nightly, rene, monkeypatch
):
    # The test's transaction must not be closed under it.
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    stale = PeriodicTask.objects.create(
        name="left-the-settings", task="x", crontab=nightly.crontab, description=FROM_SETTINGS
    )
    PeriodicTask.objects.create(
        name="orders-sweep", task="x", crontab=nightly.crontab, enabled=False
    )
    scheduler = DeskScheduler(app=app)

    rows = {task.name: task for task in PeriodicTask.objects.all()}
    assert stale.name not in rows
    for name, entry in app.conf.beat_schedule.items():
        row = rows[name]
        assert (row.enabled, row.task) == (True, entry["task"])
        assert row.schedule.run_every.total_seconds() == entry["schedule"]
        assert row.expire_seconds == entry["options"]["expires"]
        with pytest.raises(PermissionDenied):
            change_schedule(
                task_id=row.pk, times=Times(minute="1", hour="1"), enabled=False, by=rene
            )
    assert set(app.conf.beat_schedule) <= set(scheduler.schedule)
    assert rows["nightly-reconciliation"].crontab.hour == "2"
