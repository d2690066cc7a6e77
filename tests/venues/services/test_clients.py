"""The pool of venue clients: what it refuses, what it never refuses, and when it starts anew."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError

from tests import cast
from venues.credentials import CannotOpen
from venues.interface.errors import Cause, NotSent
from venues.interface.types import OrderRef, OrderRequest, OrderType, Side
from venues.marketdata.ring import Ring
from venues.models import Account, DriftReport, MarketWindow, Venue
from venues.services import clients
from venues.services.archiving import archive
from venues.services.clients import call, open_client, open_public_client, send_order
from venues.services.drifting import drift
from venues.services.keys import seed_credential

REQUEST = OrderRequest(
    client_order_id="the-order",
    symbol="BTC-USD",
    side=Side.BUY,
    order_type=OrderType.MARKET,
    quantity=Decimal(1),
)
REF = OrderRef(symbol="BTC-USD", client_order_id="the-order")


class Closing(cast.ScriptedVenue):
    is_closed = False

    async def aclose(self):
        self.is_closed = True


@pytest.fixture
def made(monkeypatch):
    """Collect the clients that are opened."""
    opened = []

    def open_one(account, credential):
        opened.append(Closing())
        return opened[-1]

    monkeypatch.setattr(clients, "_open", open_one)
    monkeypatch.setattr(clients, "_clients", {})
    return opened


def place(account, within=60):
    return send_order(account, REQUEST, not_after=datetime.now(UTC) + timedelta(seconds=within))


def get(account):
    return call(account, lambda client: client.get_order(REF))


def fresh():
    return Account.objects.select_related("venue").get(pk=cast.account().pk)


@pytest.fixture
def placed(db, made):
    place(cast.account())
    return made[0]


@pytest.mark.parametrize("model", [Account, Venue])
def test_switched_off_takes_no_order_and_is_still_read_and_cancelled(placed, model):
    model.objects.update(is_enabled=False)
    with pytest.raises(NotSent, match="is switched off") as refused:
        place(fresh())
    assert refused.value.cause is Cause.PERMANENT
    assert len(placed.placed) == 1
    call(fresh(), lambda client: client.cancel_order(REF))
    assert get(fresh()).status == "cancelled"


def test_a_stream_may_be_opened_while_its_account_is_switched_off(db, monkeypatch):
    monkeypatch.setattr(clients, "build_client", lambda *_, **__: "a client")
    cast.account()
    Account.objects.update(is_enabled=False)
    assert open_client(fresh()) == "a client"
    Venue.objects.update(is_enabled=False)
    with pytest.raises(NotSent, match="is switched off"):
        open_public_client(fresh().venue)


def test_a_live_venue_that_is_not_named_is_refused_at_every_call(placed, settings):
    settings.ENVIRONMENT, settings.LIVE_VENUES = "LIVE", []
    with pytest.raises(NotSent, match="not named in LIVE_VENUES"):
        get(fresh())


def test_one_client_serves_as_long_as_nothing_changed(placed, made):
    get(fresh())
    get(fresh())
    assert len(made) == 1


@pytest.mark.parametrize("change", ["key", "rest_url", "ws_url", "ws_user_url"])
def test_another_key_or_address_makes_a_new_client_and_closes_the_former(
    placed, made, monkeypatch, change
):
    monkeypatch.setattr(clients, "CALL_TIMEOUT", 0.1)
    if change == "key":
        seed_credential(account=fresh(), key_id="another", secret="not a real secret")
    else:
        Venue.objects.update(**{change: "http://127.0.0.1:10"})
    made_before = len(made)
    place(fresh())
    assert len(made) == made_before + 1
    assert len(clients._clients) == 1
    closed = clients.bridge.run(wait_for(made[0]), timeout=3)
    assert closed
    assert not made[1].is_closed


async def wait_for(client):
    while not client.is_closed:
        await clients.asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (CannotOpen("sealed with another key"), Cause.AUTH),
        (ValueError("secret text"), Cause.AUTH),
        (KeyError("no such adapter"), Cause.AUTH),
        (DatabaseError("gone"), Cause.TEMPORARY),
    ],
)
def test_whatever_fails_before_the_send_is_not_sent(db, monkeypatch, failure, cause):
    def fail(*_):
        raise failure

    monkeypatch.setattr(clients, "_clients", {})
    monkeypatch.setattr(clients, "_open", fail)
    with pytest.raises(NotSent) as told:
        place(cast.account())
    assert told.value.cause is cause
    assert "secret text" not in str(told.value)


def test_a_key_that_cannot_be_opened_says_so(db, monkeypatch, settings):
    monkeypatch.setattr(clients, "_clients", {})
    account = cast.account()
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    with pytest.raises(NotSent, match="cannot be opened with the present"):
        place(account)
    settings.CREDENTIAL_KEYS = ["not a key"]
    with pytest.raises(NotSent, match="No connection could be set up"):
        place(account)


def test_what_was_held_up_is_not_sent(db, made):
    with pytest.raises(NotSent, match="held up") as told:
        place(cast.account(), within=-1)
    assert told.value.cause is Cause.TEMPORARY
    assert made[0].placed == []


@pytest.fixture
def surroundings(db, monkeypatch):
    """Collect what clients are given, in the place of the clients."""
    given = []
    monkeypatch.setattr(clients, "build_client", lambda *_, around, **__: given.append(around))
    return given


def test_a_client_with_a_key_is_heard_by_the_archive_of_its_account(surroundings):
    account = cast.account()

    open_client(account)
    open_client(account)

    tap = archive().tap(account.venue.slug, account.pk)
    assert [around.seams.guards.tap for around in surroundings] == [tap, tap]


def test_a_client_without_a_key_is_heard_by_the_ring_it_is_given_and_by_nobody_else(surroundings):
    venue = cast.account().venue
    ring = Ring(seconds=60, most_bytes=100)

    open_public_client(venue)
    open_public_client(venue, ring=ring)

    assert [around.seams.guards.tap for around in surroundings] == [None, ring]


def test_what_an_adapter_does_not_know_becomes_a_drift_report(surroundings):
    open_client(cast.account())

    surroundings[0].on_drift("unknown order status", "MAYBE")
    drift().write_out()

    report = DriftReport.objects.get()
    assert (report.venue.slug, report.place, report.value) == (
        "coinbase_advanced",
        "private",
        "MAYBE",
    )


def test_an_order_that_is_sent_asks_for_the_market_around_it(placed):
    archive().write_out()

    window = MarketWindow.objects.get()
    assert (window.symbol, window.reference) == ("BTC-USD", "the-order")
