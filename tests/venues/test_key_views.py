"""The pages of keys: what they offer to whom, and that the dangerous ones ask who it is."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from tests import cast
from trading.reports import read_plan
from venues.models import Credential
from venues.overview import key_rows
from venues.services.keys import Terms, seed_credential

pytestmark = pytest.mark.django_db


@pytest.fixture
def key():
    return cast.account().credentials.in_use().get()


def told(answer):
    return answer.content.decode()


def test_who_proved_long_ago_who_they_are_is_asked_again_and_nothing_happened(
    client, key, settings
):
    client.force_login(cast.person(Role.APPROVER))
    settings.FRESH_SECONDS = -1
    answer = client.post(reverse("key-leaked", args=[key.pk]))
    assert answer["Location"].startswith(reverse("confirm"))
    key.refresh_from_db()
    assert key.leaked_at is None

    settings.FRESH_SECONDS = 300
    # Coming back from there is a plain look at the key, with the button to press.
    back = client.get(reverse("key-leaked", args=[key.pk]), follow=True)
    assert f'action="{reverse("key-leaked", args=[key.pk])}"' in told(back)


def test_the_page_offers_each_what_they_may(client, key):
    page, test, leaked = (
        reverse(name, args=[key.pk]) for name in ("key", "key-test", "key-leaked")
    )
    for role, offered in (
        (Role.AUDITOR, set()),
        (Role.APPROVER, {leaked}),
        (Role.ADMIN, {test, leaked}),
    ):
        client.force_login(cast.person(role))
        text = told(client.get(page))
        assert {one for one in (test, leaked) if f'action="{one}"' in text} == offered


def test_the_account_page_lists_its_keys_and_puts_the_spare_one_in_use(client, key):
    spare = seed_credential(
        account=cast.account(), key_id="kept", secret="s", terms=Terms(is_spare=True)
    )
    client.force_login(cast.person(Role.ADMIN))
    page = told(client.get(reverse("account", args=[key.account_id])))
    assert page.index(key.key_id) < page.index("kept")

    client.post(reverse("account-spare", args=[key.account_id]))
    assert cast.account().credentials.in_use().get() == spare
    again = told(client.post(reverse("account-spare", args=[key.account_id]), follow=True))
    assert "has no spare key" in again


def test_reports_let_go_of_a_leaked_key_and_never_follow_a_spare_one(client, key):
    seed_credential(account=cast.account(), key_id="kept", secret="s", terms=Terms(is_spare=True))
    assert [link.credential for link in read_plan()] == [key.pk]
    client.force_login(cast.person(Role.APPROVER))
    client.post(reverse("key-leaked", args=[key.pk]))
    assert [link.credential for link in read_plan()] == [Credential.objects.get(key_id="kept").pk]


def test_the_overview_names_what_has_to_be_done_about_keys(key):
    approver = cast.person(Role.APPROVER)
    assert key_rows(approver) == []
    Credential.objects.update(ends_at=timezone.now() + timedelta(days=3), can_transfer=True)
    assert [row.title for row in key_rows(approver)] == [
        "A key can withdraw, and nobody agreed to that",
        "A key ends soon",
    ]
    now = timezone.now()
    Credential.objects.update(retired_at=now, leaked_at=now)
    assert [row.title for row in key_rows(approver)] == ["A leaked key is not revoked at its venue"]
    assert key_rows(cast.person(Role.TRADER)) == []
