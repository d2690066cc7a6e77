"""What was on the wire about one order: the right frames, to the right people, and never a secret."""

import csv
import io
import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access.policy import Role
from cqops.platform.audit.models import Entry
from tests import cast
from trading.models import Order
from trading.services.tickets import place
from venues.models import MarketWindow, RawFrame, WindowState
from venues.services.archiving import Archive, public_frames, write_frames
from venues.services.spool import Spool
from venues.transport.tap import Direction, Kind, Raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    cast.desk_switch()
    cast.publish_book(cast.symbol())
    trader = cast.person(Role.TRADER)
    made = place(ticket=cast.ticket(trader), client_order_id="wired-0001", by=trader)
    Order.objects.filter(pk=made.pk).update(venue_order_id="V-000001", state="acknowledged")
    made.refresh_from_db()
    return made


def raw(kind, body, **more):
    sent = kind is Kind.REQUEST
    return Raw(
        direction=Direction.SENT if sent else Direction.RECEIVED,
        kind=kind,
        at=timezone.now().timestamp(),
        body=body,
        **more,
    )


@pytest.fixture
def kept(order, tmp_path):
    """Keep a request, its answer, a frame, and what belongs to others."""
    spool = Spool(tmp_path / "kept", most_bytes=10_000)
    archive = Archive(spool=spool)
    tap = archive.tap(order.symbol.venue.slug, order.account_id)
    place_it = {"operation": "place", "reference": "wired-0001", "line": "POST /orders"}
    tap.note(raw(Kind.REQUEST, b'{"client_order_id":"wired-0001","side":"BUY"}', **place_it))
    tap.note(raw(Kind.ANSWER, b'{"order_id":"V-000001"}', status=200, **place_it))
    tap.note(raw(Kind.FRAME, b'{"order_id":"v-000001","status":"OPEN"}', operation="user"))
    tap.note(raw(Kind.FRAME, b'{"order_id":"V-999999"}', operation="user"))
    archive.tap(order.symbol.venue.slug, uuid.uuid4()).note(
        raw(Kind.FRAME, b'{"order_id":"V-000001","of":"another account"}', operation="user")
    )
    archive.write_out()
    spool.close()
    market = [raw(Kind.FRAME, b'{"level2":"BTC-USD"}', operation="level2")]
    write_frames(public_frames(market, venue=order.symbol.venue.slug, name="wired-0001"))
    MarketWindow.objects.create(
        venue=order.symbol.venue.slug,
        symbol="BTC-USD",
        reference="wired-0001",
        around=timezone.now(),
        state=WindowState.KEPT,
        frames=1,
        settled_at=timezone.now(),
    )


def wire(client, order, **query):
    return client.get(reverse("order-wire", args=[order.pk]), query)


def test_an_order_shows_its_request_answer_and_frames_and_nobody_elses(client, order, kept):
    client.force_login(cast.person(Role.AUDITOR))

    shown = wire(client, order).content.decode()

    for words in ("Sent request", "Received answer", "Received frame", "POST /orders"):
        assert words in shown
    assert "V-999999" not in shown
    assert "another account" not in shown
    assert "level2" not in shown
    assert "1 frame." in shown


def test_the_market_around_it_is_shown_on_demand(client, order, kept):
    client.force_login(cast.person(Role.AUDITOR))

    assert "{&quot;level2&quot;" in wire(client, order, market=1).content.decode()


@pytest.mark.parametrize("role", [Role.RECON, Role.AUDITOR, Role.ADMIN])
def test_those_who_prove_what_happened_may_look(client, order, role):
    client.force_login(cast.person(role))

    assert wire(client, order).status_code == 200
    assert "On the wire" in client.get(reverse("order", args=[order.pk])).content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRADER, Role.APPROVER, Role.STEWARD])
def test_nobody_else_may(client, order, role):
    client.force_login(cast.person(role))

    assert wire(client, order).status_code == 403
    assert "On the wire" not in client.get(reverse("order", args=[order.pk])).content.decode()


def test_a_grant_for_another_account_shows_nothing(client, order):
    other = cast.account("Other")
    client.force_login(cast.person(Role.RECON, scope="account", scope_id=other.pk))

    assert wire(client, order).status_code == 404


def test_taking_it_out_is_audited(client, order, kept):
    client.force_login(cast.person(Role.AUDITOR))

    taken = wire(client, order, format="csv").content.decode()

    lines = list(csv.DictReader(io.StringIO(taken)))
    assert [line["kind"] for line in lines] == ["request", "answer", "frame"]
    entry = Entry.objects.get(action="export.taken")
    assert (entry.subject_id, entry.after["rows"]) == (f"wire-{order.pk}", 3)


def test_an_order_that_was_never_sent_says_why_there_is_nothing(client, order):
    client.force_login(cast.person(Role.AUDITOR))

    assert "Nothing is kept about this order" in wire(client, order).content.decode()


def test_many_frames_come_by_the_page(client, order, kept, monkeypatch):
    client.force_login(cast.person(Role.AUDITOR))
    monkeypatch.setattr("trading.views_wire.page", _pages_of_two)

    first = wire(client, order).content.decode()
    second = wire(client, order, after=2).content.decode()

    assert "after=2" in first
    assert "Received frame" in second
    assert "Sent request" not in second
    assert wire(client, order, after="x' OR 1").status_code == 200
    assert RawFrame.objects.count() == 6


def _pages_of_two(frames, *, after):
    from venues.services.frames import page  # noqa: PLC0415 -- the one that is stood in for

    return page(frames, after=after, size=2)
