"""A leaked key is unused from the second in which one person says so."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.services import settle_left
from cqops.platform.audit.models import Entry
from tests import cast
from tests.canaries import planted
from venues.adapters.limits import RULES
from venues.interface.errors import Cause, NotSent
from venues.models import Credential
from venues.services import clients, leaks
from venues.services.clients import call
from venues.services.guarding import guarded
from venues.services.keys import Terms, propose_credential, seed_credential
from venues.services.leaks import NoSpare, confirm_revoked, report_leak, use_spare
from venues.transport.operation import BALANCES

pytestmark = pytest.mark.django_db
SPARE = Terms(is_spare=True)


@pytest.fixture
def approver():
    return cast.person(Role.APPROVER, "alma")


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


@pytest.fixture
def stopped(monkeypatch):
    found = []
    monkeypatch.setattr(leaks, "stop_key", found.append)
    return found


def in_use():
    return cast.account().credentials.in_use().get()


def spare():
    return seed_credential(
        account=cast.account(), key_id="spare", secret=planted("venue secret"), terms=SPARE
    )


def test_without_a_spare_key_the_account_is_switched_off_by_one_person(
    approver, stopped, django_capture_on_commit_callbacks
):
    cast.account()
    key = in_use()
    with django_capture_on_commit_callbacks(execute=True):
        said = report_leak(credential=key, by=approver)

    assert said == leaks.SWITCHED_OFF
    assert not cast.account().is_enabled
    assert not cast.account().credentials.in_use().exists()
    assert stopped == [key]
    key.refresh_from_db()
    assert (key.standing, key.leaked_at) == ("leaked", key.retired_at)
    entry = Entry.objects.get(action="credential.leaked")
    assert (entry.who, entry.after["then"]) == ("alma", leaks.SWITCHED_OFF)


def test_with_a_spare_key_the_account_goes_on(approver, stopped):
    cast.account()
    key, kept = in_use(), spare()
    assert in_use() == key

    assert report_leak(credential=key, by=approver) == leaks.ON_SPARE
    assert in_use() == kept
    assert in_use().used_from
    assert cast.account().is_enabled


def test_a_leaked_spare_or_retired_key_leaves_the_account_as_it_is(approver, stopped):
    cast.account()
    key, kept = in_use(), spare()
    assert report_leak(credential=kept, by=approver) == leaks.AS_BEFORE
    assert in_use() == key
    former = seed_credential(account=cast.account(), key_id="next", secret="s") and key
    former.refresh_from_db()
    retired_at = former.retired_at
    assert report_leak(credential=former, by=approver) == leaks.AS_BEFORE
    former.refresh_from_db()
    assert former.retired_at == retired_at
    assert cast.account().is_enabled


def test_one_that_waits_is_taken_back_and_forgotten(approver, admin, stopped, monkeypatch):
    cast.venue_says(monkeypatch)
    asked = propose_credential(account=cast.account(), key_id="next", secret="s", by=admin)
    report_leak(credential=Credential.objects.get(key_id="next"), by=approver)

    asked.refresh_from_db()
    assert asked.state == "voided"
    settle_left()
    assert bytes(Credential.objects.get(key_id="next").sealed_secret) == b""


def test_reporting_twice_changes_nothing_more(approver, stopped):
    cast.account()
    key = in_use()
    report_leak(credential=key, by=approver)
    seed_credential(account=cast.account(), key_id="next", secret="s")
    assert "before" in report_leak(credential=key, by=approver)
    assert in_use().key_id == "next"
    assert Entry.objects.filter(action="credential.leaked").count() == 1


def test_who_may_not_stop_trading_reports_nothing(stopped):
    cast.account()
    with pytest.raises(NotAllowed):
        report_leak(credential=in_use(), by=cast.person(Role.AUDITOR))


def test_the_next_request_of_any_process_is_refused_also_on_a_client_that_is_open(
    approver, monkeypatch, django_capture_on_commit_callbacks
):
    """A client that was opened before, as the one that follows reports, pays its way no further."""
    cast.account()
    key = in_use()
    monkeypatch.setattr(clients, "_clients", {})
    seams = guarded(key.account.venue.slug, "coinbase_advanced", credential=str(key.pk))
    draws = RULES["coinbase_advanced"].limits.draws(BALANCES, is_signed=True)

    def pay():
        return clients.bridge.run(seams.guards.store.take(draws), timeout=5)

    assert pay().wait == 0
    with django_capture_on_commit_callbacks(execute=True):
        report_leak(credential=key, by=approver)

    with pytest.raises(NotSent, match="reported as leaked") as told:
        pay()
    assert told.value.cause is Cause.TEMPORARY
    with pytest.raises(NotSent, match="no key in use"):
        call(cast.account(), lambda client: client.get_balance())


def test_the_spare_is_put_in_use_by_an_admin_alone(admin, approver):
    cast.account()
    key, kept = in_use(), spare()
    with pytest.raises(NotAllowed):
        use_spare(account=cast.account(), by=approver)
    use_spare(account=cast.account(), by=admin)
    assert in_use() == kept
    key.refresh_from_db()
    assert key.standing == "retired"
    with pytest.raises(NoSpare):
        use_spare(account=cast.account(), by=admin)


def test_a_spare_key_is_agreed_to_as_one_and_replaces_the_spare_before_it(
    admin, approver, monkeypatch
):
    cast.venue_says(monkeypatch)
    cast.account()
    key, former = in_use(), spare()
    asked = propose_credential(
        account=cast.account(), key_id="other", secret="s", terms=SPARE, by=admin
    )
    shown = {row.label: row.text for row in asked.instruction_rows}
    assert shown["Comes into use"] == "as the spare key"
    cast.approve(asked, approver)

    assert in_use() == key
    assert cast.account().credentials.spare().get().key_id == "other"
    former.refresh_from_db()
    assert former.standing == "retired"


def test_the_database_holds_to_what_was_agreed(admin, approver, monkeypatch):
    cast.venue_says(monkeypatch)
    cast.account()
    used = Credential.objects.filter(pk=in_use().pk)
    report_leak(credential=spare(), by=approver)
    propose_credential(account=cast.account(), key_id="next", secret="s", terms=SPARE, by=admin)
    waiting = Credential.objects.filter(key_id="next")
    leaked = Credential.objects.filter(key_id="spare")
    for refused in (
        lambda: waiting.update(is_spare=False),
        lambda: waiting.update(may_transfer=True),
        lambda: used.update(is_spare=True),
        lambda: used.update(may_transfer=True),
        lambda: used.update(leaked_at=timezone.now()),
        lambda: leaked.update(leaked_at=None),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()


def test_that_it_was_revoked_at_the_venue_is_written_down_once(approver, stopped):
    cast.account()
    key = in_use()
    confirm_revoked(credential=key, by=approver)
    key.refresh_from_db()
    assert key.revoked_at is None
    report_leak(credential=key, by=approver)
    confirm_revoked(credential=key, by=approver)
    confirm_revoked(credential=key, by=approver)
    assert Entry.objects.filter(action="credential.revoked").count() == 1
