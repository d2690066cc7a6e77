"""The list of what venues list: a form that asks what a symbol stands for, and actions that stop it."""

import pytest
from django.urls import reverse

from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from tests import cast
from venues.models import Listing, Standing

pytestmark = pytest.mark.django_db
LIST = "admin:venues_listing_changelist"


@pytest.fixture
def steward(client):
    cast.person(Role.STEWARD)
    made = cast.person(Role.STEWARD, "stella")
    client.force_login(made)
    return made


def form(listing, base, **changes):
    given = {
        "base": cast.asset(base).pk,
        "quote": cast.asset("USD").pk,
        "evidence": "name",
        "reason": "its page",
        "meanings-TOTAL_FORMS": "0",
        "meanings-INITIAL_FORMS": "0",
    }
    return reverse("admin:venues_listing_change", args=[listing.pk]), {**given, **changes}


def run(client, action, *rows, reason="a doubt"):
    chosen = [str(row.pk) for row in rows]
    body = {"action": action, "_selected_action": chosen, "reason": reason, "index": 0}
    return client.post(reverse(LIST), body, follow=True).content.decode()


def standing_of(listing):
    return Listing.objects.get(pk=listing.pk).standing


def test_the_form_asks_and_says_so(client, steward):
    listing = cast.listing()
    page, body = form(listing, "BTC")
    assert "its page" not in client.get(page).content.decode()
    said = client.post(page, body, follow=True).content.decode()
    assert "Nothing changes before another person agrees" in said
    assert Request.objects.get().kind == "venues.symbol"
    assert standing_of(listing) == Standing.PROPOSED
    assert "waits for an answer" in client.post(page, body, follow=True).content.decode()
    asked = Request.objects.get()
    listed = client.get(reverse(LIST), {"request__id__exact": asked.pk}).content.decode()
    assert listing.symbol in listed


def test_the_form_of_what_is_mapped_asks_to_change_it(client, steward):
    row = cast.symbol()
    page, body = form(row.listing, "WBTC")
    assert str(row.base_id) in client.get(page).content.decode()
    client.post(page, body)
    assert Request.objects.get().instruction_texts["Change"] == "change"


def test_what_lacks_a_reason_is_not_asked(client, steward):
    page, body = form(cast.listing(), "BTC", reason="")
    assert client.post(page, body).status_code == 200
    assert not Request.objects.exists()


def test_actions_stop_take_up_and_ask_to_go_on(client, steward):
    row, new = cast.symbol(), cast.listing("PEPE-USD")
    assert "Say why" in run(client, "suspend", row.listing, reason="")
    run(client, "suspend", row.listing)
    assert standing_of(row.listing) == Standing.SUSPENDED
    run(client, "resume", row.listing)
    assert Request.objects.get().title == f"Resume {row}"
    run(client, "set_aside", new)
    assert standing_of(new) == Standing.NOT_TRADED
    run(client, "take_up", new)
    assert standing_of(new) == Standing.UNMAPPED


def test_an_approver_stops_and_asks_for_nothing(client):
    row = cast.symbol()
    client.force_login(cast.person(Role.APPROVER))
    page, body = form(row.listing, "WBTC")
    assert client.post(page, body).status_code == 403
    run(client, "set_aside", row.listing)
    assert standing_of(row.listing) == Standing.MAPPED
    run(client, "suspend", row.listing)
    assert standing_of(row.listing) == Standing.SUSPENDED


def test_the_history_of_what_it_stood_for_is_seen_and_not_edited(client, steward):
    row = cast.symbol()
    page = reverse("admin:venues_venuesymbol_change", args=[row.pk])
    assert "the cast" in client.get(page).content.decode()
    assert client.post(page, {"symbol": "X"}).status_code == 403
    assert client.get(reverse("admin:venues_venuesymbol_add")).status_code == 403


def test_what_the_desk_stopped_is_seen_as_stopped_on_pages_and_by_programs(client, steward):
    row = cast.symbol()
    cast.suspend(row)
    for page in (reverse("markets"), reverse("market", args=[row.venue.slug, row.symbol])):
        assert "Suspended" in client.get(page).content.decode()
    (said,) = client.get(reverse("api-symbols")).json()
    assert said["status"] == "suspended"
