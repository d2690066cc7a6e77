"""What a venue says a key may do: kept, said in words, and held against what was agreed to."""

from datetime import UTC, datetime

import pytest

from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.errors import NotConfirmed
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.audit.models import Entry
from tests import cast
from tests.canaries import planted
from tests.simulated import serving
from venues.interface.errors import Cause, NotSent, Rejected
from venues.models import Credential, KeyTest
from venues.services import powers
from venues.services.keys import NotThisKey, Terms, propose_credential, seed_credential
from venues.services.powers import objection_to_trading, said_of, try_connection

pytestmark = pytest.mark.django_db
MAY_WITHDRAW = Terms(may_transfer=True)


@pytest.fixture
def admin():
    return cast.person(Role.ADMIN, "adam")


@pytest.fixture
def approver():
    return cast.person(Role.APPROVER, "alma")


def propose(by, **changes):
    return propose_credential(
        account=cast.account(), key_id="next", secret=planted("venue secret"), by=by, **changes
    )


def in_use():
    return cast.account().credentials.in_use().get()


def approve(request, by, *, is_confirmed=True):
    decide(
        request_id=request.pk,
        by=by,
        verdict=Verdict.APPROVE,
        seen_hash=request.instruction_hash,
        is_confirmed=is_confirmed,
    )
    settle_left()
    request.refresh_from_db()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("coinbase_advanced", "It may view and trade. It may not withdraw."),
        (
            "coinbase_exchange",
            "It may view. The venue does not say whether it may trade or withdraw.",
        ),
    ],
)
def test_each_venue_is_asked_and_what_it_keeps_to_itself_is_said(
    tmp_path, monkeypatch, admin, slug, said
):
    with serving(tmp_path, monkeypatch, slug) as venue:
        key = venue.in_use()
        words = try_connection(credential=key, by=admin)

    key.refresh_from_db()
    assert words == said_of(key) == f"{said} The venue does not say when it ends."
    assert (key.test, key.can_view) == (KeyTest.ACCEPTED, True)
    assert key.tested_at
    assert Entry.objects.get(action="credential.tested").after["key"] == str(key.pk)


@pytest.mark.django_db(transaction=True)
def test_a_key_the_venue_does_not_know_is_refused_in_its_words(tmp_path, monkeypatch, admin):
    with serving(tmp_path, monkeypatch) as venue:
        known = venue.in_use()
        key = venue.new_key()
        Credential.objects.filter(pk=known.pk).update(retired_at=cast.NOON)
        unknown = seed_credential(
            account=venue.account, key_id="organizations/x/apiKeys/y", secret=key.secret
        )
        words = try_connection(credential=unknown, by=admin)

    assert words.startswith("The venue refuses this key.")
    unknown.refresh_from_db()
    assert unknown.test == KeyTest.REFUSED
    assert unknown.can_trade is None


def test_an_end_that_is_told_is_said(monkeypatch, admin):
    cast.venue_says(monkeypatch, ends_at=datetime(2027, 3, 1, 8, tzinfo=UTC))
    assert "It ends 2027-03-01 08:00 UTC." in try_connection(
        credential=seed_credential(account=cast.account(), key_id="k", secret="s"), by=admin
    )


def test_only_an_admin_tries_a_key_and_one_out_of_use_is_left_alone(monkeypatch, admin, approver):
    asked = []
    monkeypatch.setattr(powers, "try_key", asked.append)
    cast.account()
    key = in_use()
    with pytest.raises(NotAllowed):
        try_connection(credential=key, by=approver)
    key.retired_at = cast.NOON
    assert "out of use" in try_connection(credential=key, by=admin)
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [Rejected("bad key", cause=Cause.AUTH), NotSent("no route", cause=Cause.TEMPORARY)],
)
def test_nobody_is_asked_about_a_key_of_which_the_venue_says_nothing(monkeypatch, admin, answer):
    def fail(_):
        raise answer

    monkeypatch.setattr(powers, "try_key", fail)
    cast.person(Role.APPROVER)
    with pytest.raises(NotThisKey, match="Nobody was asked") as told:
        propose(admin)
    assert str(answer) in str(told.value)
    assert not Credential.objects.filter(key_id="next").exists()


def test_a_key_that_can_withdraw_is_refused_unless_that_is_asked_for(monkeypatch, admin, approver):
    cast.venue_says(monkeypatch, can_transfer=True)
    with pytest.raises(NotThisKey, match="can withdraw"):
        propose(admin)
    assert not Request.objects.exists()

    asked = propose(admin, terms=MAY_WITHDRAW)
    shown = {row.label: row.text for row in asked.instruction_rows}
    assert shown["Withdrawals"] == "allowed"
    assert "It may view, trade and withdraw." in shown["The venue says"]
    assert asked.findings_shown[0].title == "It can withdraw"
    with pytest.raises(NotConfirmed):
        approve(asked, approver, is_confirmed=False)
    approve(asked, approver)

    assert in_use().key_id == "next"
    assert in_use().may_transfer


def test_allowing_what_the_key_cannot_do_is_refused(monkeypatch, admin, approver):
    cast.venue_says(monkeypatch, can_transfer=False)
    with pytest.raises(NotThisKey, match="nobody has to allow it"):
        propose(admin, terms=MAY_WITHDRAW)


def test_where_the_venue_does_not_say_the_approver_reads_exactly_that_and_confirms_it(
    monkeypatch, admin, approver
):
    cast.venue_says(monkeypatch, can_trade=None, can_transfer=None)
    asked = propose(admin)
    shown = {row.label: row.text for row in asked.instruction_rows}
    assert "The venue does not say whether it may trade or withdraw." in shown["The venue says"]
    assert "does not say whether it can withdraw" in asked.findings_shown[0].title
    with pytest.raises(NotConfirmed):
        approve(asked, approver, is_confirmed=False)
    approve(asked, approver)
    assert in_use().key_id == "next"


@pytest.mark.parametrize("then", [True, None])
def test_the_venue_is_asked_again_before_it_comes_into_use_and_another_answer_voids_it(
    monkeypatch, admin, approver, then
):
    cast.venue_says(monkeypatch)
    asked = propose(admin)
    cast.venue_says(monkeypatch, can_transfer=then)
    approve(asked, approver)

    assert asked.state == "voided"
    assert in_use().key_id != "next"
    assert bytes(Credential.objects.get(key_id="next").sealed_secret) == b""


def test_a_venue_that_is_away_at_that_moment_voids_it_too(monkeypatch, admin, approver):
    cast.venue_says(monkeypatch)
    asked = propose(admin)

    def fail(_):
        message = "no route"
        raise NotSent(message, cause=Cause.TEMPORARY)

    monkeypatch.setattr(powers, "try_key", fail)
    approve(asked, approver)
    assert asked.state == "voided"
    assert in_use().key_id != "next"


def test_a_key_in_use_that_turns_out_to_withdraw_is_told_and_adds_no_exposure(monkeypatch, admin):
    cast.account()
    key = in_use()
    assert objection_to_trading(cast.account()).words == ""
    cast.venue_says(monkeypatch, can_transfer=True)
    told = []
    monkeypatch.setattr(powers, "tell", lambda kind, *_, **__: told.append(kind))
    try_connection(credential=key, by=admin)

    found = objection_to_trading(cast.account())
    assert "nobody agreed to that" in found.words
    assert found.lets_reduce
    assert told == ["key.can_withdraw"]


def test_a_view_only_key_comes_into_use_and_the_finding_says_what_it_is_for(
    monkeypatch, admin, approver
):
    cast.venue_says(monkeypatch, can_trade=False)
    asked = propose(admin)
    assert "Nothing is traded with it" in " ".join(one.words for one in asked.findings_shown)
    approve(asked, approver, is_confirmed=False)

    found = objection_to_trading(cast.account())
    assert "may only view" in found.words
    assert not found.lets_reduce
