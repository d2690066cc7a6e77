"""What each process tells about itself, and that telling it never stands in its way."""

import socket
import urllib.request

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from cqops.platform.access.policy import Role
from cqops.platform.live.channels import Keep
from cqops.platform.live.hub import Mailbox
from cqops.platform.local.ports import free_port
from cqops.platform.local.processes import PROCESSES
from cqops.platform.telemetry import metrics
from cqops.platform.telemetry.metrics import LookedUp, Reading, serve
from tests import cast
from trading.metrics import open_orders
from trading.services.tickets import place
from venues.metrics import books
from venues.services.measuring import called, operation_of, outcome_of
from venues.transport.http import Exchange


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.django_db
class TestRequests:
    def test_each_is_counted_by_route_and_not_by_address(self, client):
        client.force_login(cast.person(Role.TRADER))
        route = "orders/<uuid:order_id>/"
        labels = {"route": route, "method": "GET", "status": "404"}
        before = value("cqops_request_seconds_count", **labels)

        for number in range(3):
            client.get(f"/orders/0b9b7d1e-0000-0000-0000-00000000000{number}/")

        assert value("cqops_request_seconds_count", **labels) == before + 3

    def test_made_up_addresses_and_methods_make_no_new_series(self, client):
        client.generic("BREW", "/nowhere/1/")
        client.get("/nowhere/2/")
        text = generate_latest(REGISTRY).decode()

        assert "nowhere" not in text
        assert "BREW" not in text


class TestVenueCalls:
    @pytest.mark.parametrize(
        ("path", "named"),
        [
            ("/api/v3/brokerage/orders", "GET /api/v3/brokerage/orders"),
            ("/api/v3/orders/historical/8f1b-22", "GET /api/v3/orders/historical/{}"),
            ("/products/BTC-USD/book?limit=2", "GET /products/{}/book"),
        ],
    )
    def test_are_named_without_what_makes_each_different(self, path, named):
        assert operation_of("GET", path) == named

    @pytest.mark.parametrize(
        ("status", "word"),
        [(0, "no answer"), (200, "ok"), (400, "refused"), (429, "rate limited"), (503, "failed")],
    )
    def test_end_in_one_of_five_ways(self, status, word):
        assert outcome_of(status) == word

    def test_are_counted_with_how_long_they_took(self):
        labels = {"venue": "v", "operation": "POST /orders", "outcome": "ok"}
        called("v", Exchange(method="POST", path="/orders", status=200, seconds=1.5))

        assert value("cqops_venue_call_seconds_sum", **labels) == 1.5


@pytest.mark.django_db
class TestLookingUp:
    def test_orders_are_counted_by_state(self):
        cast.desk_switch()
        cast.publish_book(cast.symbol())
        trader = cast.person(Role.TRADER)
        place(ticket=cast.ticket(trader), client_order_id="first-order", by=trader)

        found = {one.labels["state"]: one.value for one in open_orders()}

        assert found["queued"] == 1
        assert found["in_doubt"] == 0
        assert "filled" not in found

    def test_books_tell_state_and_age(self):
        cast.publish_book(cast.symbol(), age=3)
        cast.symbol("ETH-USD")

        found = {(one.name, one.labels["symbol"]): one for one in books()}

        assert found["cqops_book_state", "BTC-USD"].labels["state"] == "live"
        assert 3 <= found["cqops_book_age_seconds", "BTC-USD"].value < 10


def _away():
    raise OperationalError


def _there():
    return [Reading(name="here", what="Something.", value=7, labels={"a": "b"})]


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_looked_up_leaves_the_rest(caplog):
    registry = CollectorRegistry()
    registry.register(LookedUp([f"{__name__}._away", f"{__name__}._there"]))

    assert 'here{a="b"} 7.0' in generate_latest(registry).decode()
    assert "_away could not be read" in caplog.text


def test_coalesced_states_are_counted():
    before = value("cqops_live_coalesced_frames_total")
    box = Mailbox()
    for number in range(4):
        box.put("book:x", f"{number}".encode(), Keep.LATEST)

    assert value("cqops_live_coalesced_frames_total") == before + 3


class TestServing:
    @pytest.fixture
    def port(self, settings, monkeypatch):
        monkeypatch.setitem(metrics.PORTS, "reports", 0)
        settings.METRICS_PORT = free_port()
        return settings.METRICS_PORT

    def test_a_process_answers_on_its_port(self, port):
        assert serve("reports") == port
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"cqops_request_seconds" in answer.read()

    def test_a_port_that_is_taken_is_a_warning_and_no_failure(self, port, caplog):
        with socket.socket() as other:
            other.bind(("127.0.0.1", port))
            other.listen()
            assert serve("reports") is None
        assert "no metrics of reports" in caplog.text

    def test_every_process_there_is_has_one(self):
        assert set(metrics.PORTS) == {process.name for process in PROCESSES}

    def test_zero_means_none(self, settings):
        settings.METRICS_PORT = 0
        assert serve("web") is None

    def test_no_two_processes_share_a_port(self):
        assert len(set(metrics.PORTS.values())) == len(metrics.PORTS)
