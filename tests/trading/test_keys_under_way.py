"""Keys change while orders flow: replaced without a gap, sealed anew, and stopped when one is leaked.

Against the simulated venue over its own wire protocol, with real signatures.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.db import connections
from django.test import Client
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from tests import cast
from tests.canaries import EARS
from tests.simulated import serving
from trading.models import Order
from trading.services import checks
from trading.services.circumstances import at_the_placing
from trading.services.executions import hear, record
from trading.services.submission import reference, submit
from trading.services.tickets import place, preview
from trading.states import State
from venues.credentials import CannotOpen, Sealed, unseal
from venues.interface.errors import NotSent
from venues.interface.types import OrderQuery, OrderType, Side, TimeInForce
from venues.models import Credential
from venues.services import bridge, clients, leaks
from venues.services.clients import call, open_client
from venues.services.keys import Terms, propose_credential
from venues.services.resealing import reseal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
SPARE = Terms(is_spare=True)
MANY = 24


@pytest.fixture
def venue(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as served:
        yield served


@pytest.fixture
def trader(db, settings):
    # One book lasts a whole test, however slow the machine is.
    settings.BOOK_STALE_SECONDS = 600
    cast.desk_switch()
    cast.publish_book(cast.symbol(), bid="64990.00", ask="65010.00")
    return cast.person(Role.TRADER, "tom")


def order(trader, name, **changes):
    ticket = cast.ticket(trader, quantity=Decimal("0.001"), **changes)
    return place(ticket=ticket, client_order_id=name, by=trader)


def at_the_market():
    return {
        "order_type": OrderType.MARKET,
        "limit_price": None,
        "time_in_force": TimeInForce.IOC,
    }


class Flow:
    """Sends orders from two threads, as two workers do, until it is told to end."""

    def __init__(self, trader, *, between=lambda: None):
        self.orders = [order(trader, f"flow-{number}").pk for number in range(MANY)]
        self.between = between
        self.half = threading.Event()
        self.done = 0
        self.lock = threading.Lock()

    def send(self, keys):
        try:
            for key in keys:
                submit(key)
                self.between()
                with self.lock:
                    self.done += 1
                    if self.done >= MANY // 3:
                        self.half.set()
        finally:
            self.half.set()
            connections.close_all()

    def around(self, act):
        """Send everything, and act once a third of it has been sent."""
        with ThreadPoolExecutor(2) as pool:
            workers = [pool.submit(self.send, self.orders[start::2]) for start in (0, 1)]
            assert self.half.wait(30)
            was = self.done
            act()
            for worker in workers:
                worker.result(60)
        assert was < MANY, "everything was sent before anything happened"


def every_order_arrived_once(venue):
    states = set(Order.objects.values_list("state", flat=True))
    assert states == {State.ACKNOWLEDGED}
    reached = [name for name in venue.orders() if name.startswith("flow-")]
    assert sorted(reached) == sorted(f"flow-{number}" for number in range(MANY))


def test_orders_flow_while_the_key_is_replaced(venue, trader):
    former = venue.in_use()
    admin, approver = cast.person(Role.ADMIN, "adam"), cast.person(Role.APPROVER, "alma")
    key = venue.new_key()
    flow = Flow(trader)

    def exchange():
        asked = propose_credential(
            account=cast.account(), key_id=key.key_id, secret=key.secret, by=admin
        )
        cast.approve(asked, approver)

    flow.around(exchange)

    every_order_arrived_once(venue)
    former.refresh_from_db()
    assert former.standing == "retired"
    assert cast.account().credentials.in_use().get().key_id == key.key_id
    sent = Order.objects.filter(sent_at__isnull=False)
    assert sent.filter(sent_at__lt=former.retired_at).exists()
    assert sent.filter(sent_at__gt=former.retired_at).exists()


def test_every_credential_is_sealed_anew_while_orders_flow(venue, trader, settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    Credential.objects.all().delete()
    settings.CREDENTIAL_KEYS = [old]
    venue.in_use()
    venue.in_use(terms=SPARE)
    settings.CREDENTIAL_KEYS = [new, old]
    sealed = {key.pk: bytes(key.wrapped_key) for key in Credential.objects.all()}

    # Each order opens the key anew, as a worker does that was just started.
    flow = Flow(trader, between=clients._clients.clear)
    flow.around(lambda: [reseal() for _ in range(5)])

    every_order_arrived_once(venue)
    settings.CREDENTIAL_KEYS = [new]
    for key in Credential.objects.all():
        assert unseal(Sealed(bytes(key.wrapped_key), bytes(key.sealed_secret)))
        with pytest.raises(CannotOpen):
            unseal(Sealed(sealed[key.pk], bytes(key.sealed_secret)))
    order(trader, "afterwards")
    submit(Order.objects.get(client_order_id="afterwards").pk)
    assert Order.objects.get(client_order_id="afterwards").state == State.ACKNOWLEDGED


def read_back(name):
    """Read what the venue has of an order, as the reports do."""
    account, found = cast.account(), Order.objects.with_names().get(client_order_id=name)
    there = call(account, lambda one: one.get_order(reference(found)))
    query = OrderQuery(venue_order_id=there.venue_order_id)
    fills = call(account, lambda one: one.get_fills(query))
    record(account=account, fills=list(fills.items), by="sweep")
    hear(account=account, heard_order=there, by="sweep")


def leak(key, person):
    """Press the one button."""
    client = Client()
    client.force_login(person)
    return client.post(f"/keys/{key.pk}/leaked/", follow=True).content.decode()


def test_the_leaked_drill_works_with_one_click_and_says_what_happened(venue, trader):
    key = venue.in_use()
    for name, terms in (("bought", at_the_market()), ("resting", {})):
        submit(order(trader, name, **terms).pk)
    read_back("bought")
    reports = open_client(cast.account())
    assert bridge.run(reports.get_balance(), timeout=5)

    page = leak(key, cast.person(Role.APPROVER, "alma"))

    # Unused: what was open in another process, what is opened now, and what is sent next.
    with pytest.raises(NotSent, match="reported as leaked"):
        bridge.run(reports.get_balance(), timeout=5)
    bridge.run(reports.aclose(), timeout=5)
    with pytest.raises(NotSent, match="no key in use"):
        call(cast.account(), lambda client: client.get_balance())
    later = order(trader, "later")
    submit(later.pk)
    later.refresh_from_db()
    assert (later.state, "later" in venue.orders()) == (State.REFUSED, False)
    # Said: what became of the account, what the key did, and what to do at the venue.
    assert "Unused from this second. The account has no spare key and is switched off." in page
    assert "Revoke it at the venue" in page
    assert "revoke the key with this id" in page
    assert key.key_id in page
    assert "<dt>Orders sent</dt><dd>2</dd>" in page
    assert "<dt>Still open at the venue, or in doubt</dt><dd>1</dd>" in page
    assert "<dt>Executions of our orders</dt><dd>1</dd>" in page
    assert "Buy 0.001 BTC-USD at 50000: acknowledged" in page
    assert "Buy 0.001 BTC-USD at the market: filled" in page
    assert "can be neither seen nor cancelled from here" in page
    assert "none: it has no way to withdraw" in page
    assert Entry.objects.get(action="credential.leaked").after["then"] == leaks.SWITCHED_OFF
    assert not EARS.in_text(page)


def test_with_a_spare_key_the_drill_costs_no_order(venue, trader):
    former = venue.in_use()
    spare = venue.in_use(terms=SPARE)
    person = cast.person(Role.APPROVER, "alma")
    flow = Flow(trader)
    flow.around(lambda: leak(former, person))
    # What was held back at the shut door was not sent, and is claimed again.
    for key in Order.objects.filter(state=State.QUEUED).values_list("pk", flat=True):
        submit(key)

    every_order_arrived_once(venue)
    assert cast.account().is_enabled
    assert cast.account().credentials.in_use().get() == spare


def test_a_view_only_key_reads_everything_and_the_ticket_says_why_nothing_trades(venue, trader):
    key = venue.in_use(can_trade=False)
    admin = cast.person(Role.ADMIN, "adam")
    client = Client()
    client.force_login(admin)
    page = client.post(f"/keys/{key.pk}/test/", follow=True).content.decode()
    assert "It may view. It may not trade or withdraw." in page
    assert "is enough for books, balances, fills and reconciliation" in page

    stops = checks.blocked(preview(cast.ticket(trader)))
    assert [stop.check for stop in stops] == ["Key"]
    assert "ask an admin for a key that may" in stops[0].words
    assert order(trader, "no").state == State.REFUSED
    assert call(cast.account(), lambda one: one.get_balance())
    assert call(cast.account(), lambda one: one.get_order_book("BTC-USD", 5)).bids


def test_a_key_that_can_withdraw_unasked_adds_nothing_and_lets_reduce(trader):
    cast.account().credentials.update(can_transfer=True)
    ticket = cast.ticket(trader, side=Side.SELL)
    seen = at_the_placing(ticket, now=timezone.now())
    adds = checks.key_may_trade(ticket, seen)
    reduces = checks.key_may_trade(ticket, replace(seen, held=Decimal(1)))
    assert [adds.outcome, reduces.outcome] == [checks.Outcome.BLOCK, checks.Outcome.WARN]
    assert "nobody agreed to that" in adds.words
