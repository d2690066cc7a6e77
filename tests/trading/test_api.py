import json
import uuid

import pytest
from rest_framework.test import APIClient

from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from tests import cast
from trading.models import Order


def client_of(role):
    user = cast.person(role)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user=user, name='test')}")
    return api


@pytest.fixture
def wanted(trader, live_book):
    cast.account()
    cast.portfolio()
    return {
        "client_order_id": str(uuid.uuid4()),
        "venue": "coinbase_advanced",
        "account": "Main",
        "portfolio": "Alpha",
        "symbol": "BTC-USD",
        "side": "buy",
        "order_type": "limit",
        "quantity": "0.5",
        "limit_price": "50000",
    }


def post(api, body):
    return api.post("/api/v1/orders", body, format="json")


def test_an_order_is_accepted_and_can_be_read_and_cancelled(wanted):
    api = client_of(Role.TRADER)
    placed = post(api, wanted)
    assert placed.status_code == 202
    assert placed.json()["state"] == "queued"
    assert placed.json()["quantity"] == "0.5"
    address = f"/api/v1/orders/{placed.json()['id']}"
    assert api.get(address).json()["executions"] == []
    assert api.post(f"{address}/cancel").json()["state"] == "withdrawn"
    again = api.post(f"{address}/cancel")
    assert again.status_code == 409
    assert "already over" in again.json()["detail"]


def test_the_client_order_id_makes_a_repeat_harmless(wanted):
    api = client_of(Role.TRADER)
    first, again = post(api, wanted), post(api, wanted)
    assert first.json()["id"] == again.json()["id"]
    assert post(api, {**wanted, "quantity": "0.6"}).status_code == 409
    assert Order.objects.count() == 1


def test_a_refusal_carries_every_verdict(wanted):
    answer = post(client_of(Role.TRADER), {**wanted, "quantity": "99"})
    assert answer.status_code == 422
    verdicts = {one["check"]: one["outcome"] for one in answer.json()["verdicts"]}
    assert verdicts["Order limit"] == "block"
    assert verdicts["Trading switch"] == "allow"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "abc"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1e99"}, "quantity"),
        ({"limit_price": ""}, "limit_price"),
        ({"symbol": "NO-SUCH"}, "symbol"),
        ({"account": "nobody"}, "account"),
        ({"portfolio": "none"}, "portfolio"),
        ({"side": "hold"}, "side"),
        ({"client_order_id": "x"}, "client_order_id"),
        ({"client_order_id": "with space in it"}, "client_order_id"),
    ],
)
def test_bad_input_names_its_field_and_stores_nothing(wanted, change, field):
    answer = post(client_of(Role.TRADER), {**wanted, **change})
    assert answer.status_code == 400
    assert field in answer.json()
    assert Order.objects.count() == 0


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.TRADER])
def test_only_a_trader_may_place_or_cancel(wanted, role):
    api = client_of(role)
    assert post(api, wanted).status_code == 403
    assert api.post(f"/api/v1/orders/{uuid.uuid4()}/cancel").status_code == 403
    assert api.get("/api/v1/orders").status_code == 200


def test_without_a_good_token_nothing_is_answered(wanted):
    api = APIClient()
    assert api.get("/api/v1/orders").status_code == 401
    api.credentials(HTTP_AUTHORIZATION="Bearer cqops_wrong")
    answer = api.get("/api/v1/orders")
    assert answer.status_code == 401
    assert "unknown, expired or revoked" in answer.json()["detail"]


def test_somebody_without_a_role_sees_nothing(wanted):
    api = client_of(None)
    for address in ("orders", "positions", "symbols"):
        assert api.get(f"/api/v1/{address}").status_code == 403


def test_pages_follow_each_other_without_gap_or_repeat(wanted):
    api = client_of(Role.TRADER)
    ids = {post(api, {**wanted, "client_order_id": f"order-{n:04}"}).json()["id"] for n in range(7)}
    seen, before = [], ""
    while True:
        page = api.get("/api/v1/orders", {"before": before, "limit": 3}).json()
        assert len(page["results"]) <= 3
        seen += [one["id"] for one in page["results"]]
        before = page["next"]
        if not before:
            break
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == ids
    assert api.get("/api/v1/orders", {"before": "broken"}).status_code == 400


def test_unknown_orders_and_books_are_not_found(wanted):
    api = client_of(Role.VIEWER)
    assert api.get(f"/api/v1/orders/{uuid.uuid4()}").status_code == 404
    assert api.get("/api/v1/books/coinbase_advanced/NO-SUCH").status_code == 404


def test_a_book_and_the_symbols_say_how_far_they_can_be_trusted(wanted):
    api = client_of(Role.VIEWER)
    book = api.get("/api/v1/books/coinbase_advanced/BTC-USD").json()
    assert (book["state"], book["bids"]) == ("live", [["50000.00", "3"]])
    cast.publish_book(cast.symbol(), age=60)
    assert api.get("/api/v1/books/coinbase_advanced/BTC-USD").json()["state"] == "stale"
    assert api.get("/api/v1/symbols").json()[0]["book_state"] == "stale"


def test_the_body_must_be_json(wanted):
    api = client_of(Role.TRADER)
    assert api.post("/api/v1/orders", "{", content_type="application/json").status_code == 400
    assert (
        api.post("/api/v1/orders", json.dumps([1]), content_type="application/json").status_code
        == 400
    )


def test_orders_are_listed_by_venue(wanted):
    api = client_of(Role.TRADER)
    post(api, wanted)

    def listed(venue):
        return len(api.get("/api/v1/orders", {"venue": venue}).json()["results"])

    assert (listed("coinbase_advanced"), listed("coinbase_exchange")) == (1, 0)
