from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from checks.tools import ROOT
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from cqops.platform.audit.context import Context, Door, entering
from cqops.platform.events import schemas
from cqops.platform.events.models import Event
from cqops.platform.events.schemas import UnknownEvent, documented, registered
from cqops.platform.events.services import as_json, emit
from cqops.platform.telemetry.trace import Place, at
from portfolio.services.positions import absorb_executions
from tests import cast
from trading.events import OrderMoved
from trading.services.cancels import request_cancel
from trading.services.executions import hear, record
from trading.services.submission import submit
from trading.services.tickets import place
from venues.interface.types import OrderStatus

pytestmark = pytest.mark.django_db


def moved(**changes):
    fields = {"order_id": uuid4(), "here": "queued", "there": "sending", "by": "worker"}
    return OrderMoved(**{**fields, "reason": "", "filled_quantity": Decimal(0), **changes})


def emit_moved(payload=None, **changes):
    payload = payload or moved()
    given = {"kind": "order.moved", "version": 1, "aggregate": "order", "aggregate_id": "1"}
    return emit(**{**given, "payload": payload, **changes})


class TestEmit:
    def test_goes_with_the_transaction_it_belongs_to(self):
        class Failed(Exception):
            pass

        @transaction.atomic
        def fails_after_emitting():
            emit_moved()
            raise Failed

        with pytest.raises(Failed):
            fails_after_emitting()
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        "changes", [{"kind": "order.flew"}, {"version": 2}, {"aggregate": "position"}]
    )
    def test_refuses_what_no_app_lists(self, changes):
        with pytest.raises(UnknownEvent):
            emit_moved(**changes)

    def test_carries_the_request_and_the_trace_it_came_from(self):
        with entering(Context(door=Door.API, request_id="r" * 32)), at(Place("t" * 32)):
            event = emit_moved()

        assert (event.request_id, event.trace_id) == ("r" * 32, "t" * 32)

    def test_of_a_real_request_names_what_its_answer_and_its_caller_name(self, client):
        trader = cast.person(Role.TRADER)
        cast.desk_switch()
        cast.publish_book(cast.symbol())
        headers = {
            "Authorization": f"Bearer {issue(user=trader, name='test')}",
            "Traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        }
        order = {
            "client_order_id": "the-traced-order",
            "venue": cast.venue().slug,
            "symbol": "BTC-USD",
            "account": cast.account().name,
            "portfolio": cast.portfolio().name,
            "side": "buy",
            "order_type": "limit",
            "quantity": "0.5",
            "limit_price": "50000",
            "time_in_force": "gtc",
        }
        answer = client.post(
            "/api/v1/orders", order, content_type="application/json", headers=headers
        )

        assert answer.status_code == 202, answer.content
        event = Event.objects.get(kind="order.placed")
        assert (event.request_id, event.trace_id) == (answer["X-Request-Id"], "a" * 32)

    def test_amounts_are_text_to_the_last_digit_without_exponent(self):
        text = as_json(moved(filled_quantity=Decimal("0.000000010")))

        assert '"filled_quantity":"0.00000001"' in text


class TestSchemas:
    def test_the_page_about_events_is_the_code_s_own(self):
        assert (ROOT / "docs" / "events.md").read_text() == documented()

    def test_every_payload_reads_back_as_its_schema(self):
        samples = {UUID: uuid4(), Decimal: Decimal("1.5"), str: "x", int: 3}
        samples |= {datetime: datetime(2026, 3, 2, tzinfo=UTC), Decimal | None: None}
        samples |= {bool: True, datetime | None: None}
        for schema in registered().values():
            hints = schemas.get_type_hints(schema.payload)
            made = schema.payload(**{name: samples[hint] for name, hint in hints.items()})
            assert msgspec.json.decode(as_json(made), type=schema.payload) == made

    def test_a_kind_that_is_listed_twice_is_refused(self):
        registered.cache_clear()
        paths = ["trading.events.EVENTS", "trading.events.EVENTS"]
        with override_settings(EVENT_SCHEMAS=paths), pytest.raises(UnknownEvent, match="twice"):
            registered()
        registered.cache_clear()


class TestWhatIsTold:
    def told(self):
        return [(event.kind, msgspec.json.decode(event.payload)) for event in Event.objects.all()]

    def test_the_life_of_an_order_and_its_position(self, scripted_venue, live_book, trader):
        order = place(ticket=cast.ticket(trader), client_order_id="order-one", by=trader)
        submit(order.pk)
        order.refresh_from_db()
        full = cast.venue_order(order, OrderStatus.FILLED, filled_quantity=order.quantity)
        fills = [cast.fill(order, number=1, quantity="0.5")]
        record(account=order.account, fills=fills, by="stream")
        record(account=order.account, fills=fills, by="sweep")
        hear(account=order.account, heard_order=full, by="stream")
        absorb_executions()

        told = self.told()
        assert [kind for kind, _ in told] == [
            "order.placed",
            "order.moved",
            "order.moved",
            "order.executed",
            "order.moved",
            "position.changed",
        ]
        assert [one["there"] for kind, one in told if kind == "order.moved"] == [
            "sending",
            "acknowledged",
            "filled",
        ]
        assert told[3][1]["quantity"] == "0.5"
        assert told[5][1]["quantity"] == "0.5"

    def test_a_refusal_is_told_as_one(self, trader):
        cast.desk_switch("off")
        place(ticket=cast.ticket(trader), client_order_id="order-two", by=trader)

        ((kind, payload),) = self.told()
        assert (kind, payload["state"]) == ("order.placed", "refused")
        assert payload["reason"]

    def test_an_execution_that_came_before_its_order_is_told_once_it_is_known(
        self, scripted_venue, live_book, trader
    ):
        order = place(ticket=cast.ticket(trader), client_order_id="order-three", by=trader)
        record(account=order.account, fills=[cast.fill(order, number=1, quantity="0.5")], by="x")
        assert [kind for kind, _ in self.told()] == ["order.placed"]

        submit(order.pk)

        kinds = [kind for kind, _ in self.told()]
        assert kinds.count("order.executed") == 1

    def test_a_withdrawal_is_a_move(self, live_book, trader):
        order = place(ticket=cast.ticket(trader), client_order_id="order-four", by=trader)
        request_cancel(order_id=order.pk, by=trader)

        assert self.told()[-1][1]["there"] == "withdrawn"
        assert Event.objects.first().at <= timezone.now()
