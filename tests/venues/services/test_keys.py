"""A key comes into use with a second person, and never by anything else."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.audit.models import Entry
from tests import cast
from venues.credentials import Parts, Sealed, join, split, unseal
from venues.models import Account, Credential
from venues.services.keys import WaitsAlready, propose_credential, retire_credential

pytestmark = pytest.mark.django_db
SECRET = "a secret nobody reads"


@pytest.fixture(autouse=True)
def _asked(monkeypatch):
    cast.venue_says(monkeypatch)


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


@pytest.fixture
def approver():
    return cast.person(Role.APPROVER, "alma")


def propose(by, key_id="next"):
    return propose_credential(account=cast.account(), key_id=key_id, secret=SECRET, by=by)


def in_use():
    return cast.account().credentials.in_use().get()


def test_waits_sealed_and_comes_into_use_in_the_place_of_the_former_one(admin, approver):
    former = cast.account().credentials.get()
    asked = propose(admin)
    assert in_use() == former
    shown = {row.label: row.text for row in asked.instruction_rows}
    assert {"Account", "Key id", "Fingerprint"} < set(shown)
    assert shown["Withdrawals"] == "not allowed"
    assert "It may view and trade. It may not withdraw." in shown["The venue says"]
    assert SECRET not in str(asked.instruction)

    cast.approve(asked, approver)

    found = in_use()
    assert found.key_id == "next"
    sealed = Sealed(bytes(found.wrapped_key), bytes(found.sealed_secret))
    assert unseal(sealed) == SECRET
    former.refresh_from_db()
    assert former.retired_at
    assert Entry.objects.filter(action="credential.stored", who="adam").exists()


def test_one_that_was_refused_is_forgotten_and_may_be_tried_again(admin, approver):
    former = cast.account().credentials.get()
    asked = propose(admin)
    decide(
        request_id=asked.pk,
        by=approver,
        verdict=Verdict.REFUSE,
        reason="Not from this desk.",
        seen_hash=asked.instruction_hash,
    )
    settle_left()

    dropped = Credential.objects.get(key_id="next")
    assert bytes(dropped.sealed_secret) == b""
    assert dropped.retired_at
    assert in_use() == former
    propose(admin)


def test_one_at_a_time_waits_and_can_be_taken_back_by_one_person(admin, approver):
    asked = propose(admin)
    with pytest.raises(WaitsAlready):
        propose(admin, "another")

    retire_credential(credential=Credential.objects.get(key_id="next"), by=admin)

    asked.refresh_from_db()
    assert asked.state == "voided"
    settle_left()
    assert bytes(Credential.objects.get(key_id="next").sealed_secret) == b""
    propose(admin, "another")


def test_another_secret_under_the_same_row_is_not_what_was_agreed_to(admin, approver):
    asked = propose(admin)
    decide(
        request_id=asked.pk,
        by=approver,
        verdict=Verdict.APPROVE,
        seen_hash=asked.instruction_hash,
    )
    Credential.objects.filter(key_id="next").update(sealed_secret=b"another one")
    settle_left()

    asked.refresh_from_db()
    assert asked.state == "voided"
    assert in_use().key_id != "next"


def test_the_database_puts_none_in_use_by_itself_and_exchanges_none(admin, approver):
    former = cast.account().credentials.filter(pk=in_use().pk)
    propose(admin)
    waiting = Credential.objects.filter(key_id="next")

    retire_credential(credential=former.get(), by=admin)
    for refused in (
        lambda: waiting.update(activated_at="2026-01-01T00:00Z"),
        lambda: former.update(sealed_secret=b"another one"),
        lambda: former.update(retired_at=None),
        lambda: waiting.update(key_id="other"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
    assert not cast.account().credentials.in_use().exists()


def test_retiring_needs_an_admin_and_nobody_else(admin, approver):
    with pytest.raises(NotAllowed):
        retire_credential(credential=in_use(), by=approver)
    with pytest.raises(NotAllowed):
        propose(approver)


def exchange_account():
    where = cast.venue("coinbase_exchange")
    where.adapter = "coinbase_exchange"
    where.save()
    return Account.objects.create(venue=where, name="Exchange", environment=where.environment)


def test_the_form_asks_in_the_words_of_the_venue_for_exactly_its_key(client, admin, approver):
    cast.account()
    account = exchange_account()
    client.force_login(admin)
    address = reverse("admin:venues_credential_add")

    first = client.get(address).content.decode()
    assert 'name="secret"' not in first
    page = client.post(address, {"account": str(account.pk)}, follow=True).content.decode()
    assert "Passphrase" in page
    assert "One line of base64" in page
    body = {"account": str(account.pk), "key_id": "next", "secret": SECRET, "passphrase": "words"}
    refused = client.post(address, {**body, "passphrase": ""}).content.decode()
    assert "This field is required" in refused
    assert SECRET not in refused
    client.post(address, body)
    cast.approve(Request.objects.get(), approver)

    found = account.credentials.in_use().get()
    opened = split(unseal(Sealed(bytes(found.wrapped_key), bytes(found.sealed_secret))))
    assert (opened.secret, opened.more) == (SECRET, {"passphrase": "words"})


def test_a_key_that_lacks_a_part_or_has_one_too_many_is_refused_without_its_secret(admin):
    account = exchange_account()
    for more, said in (({}, "Passphrase"), ({"passphrase": "p", "pin": "1"}, "pin")):
        with pytest.raises(ValidationError) as refusal:
            propose_credential(account=account, key_id="k", secret=SECRET, more=more, by=admin)
        assert said in str(refusal.value)
        assert SECRET not in str(refusal.value)


def test_a_secret_sealed_alone_before_still_opens():
    assert split(SECRET) == Parts(SECRET)
    assert split(join(Parts("parts:odd"))) == Parts("parts:odd", {})


def test_the_form_asks_and_never_gives_the_secret_back(client, admin, approver):
    client.force_login(admin)
    body = {"account": str(cast.account().pk), "key_id": "next", "secret": SECRET}

    page = client.post(reverse("admin:venues_credential_add"), body, follow=True).content.decode()

    assert "Nothing changes before another person agrees" in page
    assert SECRET not in page
    assert in_use().key_id != "next"
    cast.approve(Request.objects.get(), approver)
    client.post(
        reverse("admin:venues_credential_changelist"),
        {"action": "retire", "_selected_action": [str(in_use().pk)]},
    )
    assert not cast.account().credentials.in_use().exists()
