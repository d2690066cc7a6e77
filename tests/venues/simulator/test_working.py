"""Brackets, slices over time and amendments: what they trade, hold and end as."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.venues.simulator.test_exchange import START, World
from tests.venues.simulator.test_wire import ROOT, venue
from venues.interface.types import OrderType, Side, TimeInForce
from venues.simulator.coinbase_advanced.products import FEES
from venues.simulator.terms import AmendRefusal, Refusal, Refused, SimOrder, State

D = Decimal
__all__ = ["venue"]


@pytest.fixture
def world() -> World:
    return World()


def bracket(world: World, side: Side = Side.SELL, **terms: object) -> SimOrder:
    profit, stop = (D(70_000), D(60_000)) if side is Side.SELL else (D(60_000), D(70_000))
    terms = {"limit_price": profit, "stop_price": stop, "quantity": D(1), **terms}
    return world.place(side=side, order_type=OrderType.BRACKET, **terms)


def twap(world: World, slices: int = 4, **terms: object) -> SimOrder:
    terms = {"limit_price": D(66_000), "quantity": D("0.4"), **terms}
    return world.place(
        order_type=OrderType.TWAP,
        time_in_force=TimeInForce.GTD,
        slices=slices,
        expires_at=START + timedelta(minutes=slices),
        **terms,
    )


def test_a_bracket_takes_its_profit_at_its_limit(world):
    order = bracket(world)
    assert world.wallet("BTC") == (D(9), D(1))
    world.exchange.jump("BTC-USD", D(71_000))

    assert (order.state, order.filled_value) == (State.FILLED, D(70_000))
    assert world.wallet("BTC") == (D(9), 0)


@pytest.mark.parametrize(
    ("side", "leg", "to"),
    [(Side.SELL, D(57_000), D(59_000)), (Side.BUY, D(73_500), D(71_000))],
)
def test_a_brackets_stop_leg_sells_up_to_five_percent_beyond_its_trigger(world, side, leg, to):
    order = bracket(world, side)
    world.exchange.jump("BTC-USD", to)
    world.place("bob", quantity=D("0.01"))
    world.exchange.step()

    assert order.is_triggered
    assert order.limit_price == leg
    assert order.state is State.FILLED
    assert abs(order.filled_value / to - 1) < D("0.01"), "at the market, not at its limit"
    assert world.exchange.ledger.imbalance() == {}


def test_a_buying_bracket_holds_for_the_dearer_leg(world):
    order = bracket(world, Side.BUY)

    assert world.wallet("USD")[1] == D(73_500) * (1 + FEES.taker)
    world.exchange.cancel("alice", order.order_id)
    assert world.wallet("USD") == (D(1_000_000), 0)


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"limit_price": D(60_000), "stop_price": D(60_000)}, Refusal.BAD_INSTRUCTION),
        ({"limit_price": D(59_000), "stop_price": D(60_000)}, Refusal.BAD_INSTRUCTION),
        ({"stop_price": D(69_000)}, Refusal.STOP_ABOVE_LAST),
        ({"stop_price": None}, Refusal.BAD_INSTRUCTION),
    ],
)
def test_a_bracket_the_wrong_way_round_is_refused(world, terms, refusal):
    with pytest.raises(Refused) as refused:
        bracket(world, **terms)
    assert refused.value.refusal is refusal


def test_slices_come_equal_and_on_time(world):
    order = twap(world)
    seen = []
    for minute in range(4):
        world.now = START + timedelta(minutes=minute, seconds=1)
        world.exchange.step()
        world.exchange.step()
        seen.append(order.filled_quantity)

    assert seen == [D("0.1"), D("0.2"), D("0.3"), D("0.4")]
    assert order.state is State.FILLED
    assert world.wallet("USD") == (D(1_000_000) - order.filled_value - order.fees, 0)


def test_slices_wait_for_their_start_and_the_rest_of_them_expires(world):
    order = twap(world, starts_at=START + timedelta(minutes=2), limit_price=D(66_000))
    world.exchange.step()
    assert order.filled_quantity == 0
    world.now = START + timedelta(minutes=2)
    world.exchange.step()
    assert order.filled_quantity == D("0.1")
    world.exchange.jump("BTC-USD", D(70_000))
    world.now = START + timedelta(minutes=4)
    world.exchange.step()

    assert (order.state, order.filled_quantity) == (State.EXPIRED, D("0.1"))
    assert world.wallet("USD")[1] == 0


def test_what_a_slice_missed_the_next_one_tries_for(world):
    order = twap(world)
    world.exchange.jump("BTC-USD", D(70_000))
    world.exchange.step()
    assert (order.slices_begun, order.filled_quantity) == (1, 0)
    world.exchange.jump("BTC-USD", D(65_000))
    world.now = START + timedelta(minutes=1)
    world.exchange.step()

    assert order.filled_quantity == D("0.2")


def test_slices_below_the_smallest_order_are_refused(world):
    with pytest.raises(Refused) as refused:
        twap(world, slices=5, quantity=D("0.00000004"), limit_price=D(3_000_000_000))
    assert refused.value.refusal in {Refusal.SLICE_TOO_SMALL, Refusal.PRICE_PRECISION}


def test_an_amendment_changes_the_hold_and_loses_its_place(world):
    mine = world.place(quantity=D(1), limit_price=D(60_000))
    world.place("bob", quantity=D(1), limit_price=D(60_000))
    amend = world.exchange.amend
    assert amend("alice", mine.order_id, quantity=D(2), limit_price=D(60_000)) is None
    assert world.wallet("USD")[1] == D(120_000) * (1 + FEES.taker)
    world.exchange.jump("BTC-USD", D("59999"))
    assert world.exchange.fills[0].account == "bob"


def test_an_amendment_down_gives_back_what_is_held_too_much(world):
    mine = world.place(quantity=D(2), limit_price=D(60_000))
    world.exchange.amend("alice", mine.order_id, quantity=D(1), limit_price=D(59_000))

    assert world.wallet("USD")[1] == D(59_000) * (1 + FEES.taker)
    assert [(one.quantity, one.limit_price) for one in mine.amendments] == [(D(1), D(59_000))]


def test_an_amendment_across_the_book_trades_at_once(world):
    order = world.place(quantity=D("0.01"), limit_price=D(60_000))
    world.exchange.amend("alice", order.order_id, quantity=D("0.01"), limit_price=D(70_000))

    assert order.state is State.FILLED
    assert world.exchange.ledger.imbalance() == {}


def test_amendments_say_why_they_change_nothing(world):
    amend = world.exchange.amend
    resting = world.place(quantity=D(1), limit_price=D(60_000))
    done = world.place(quantity=D(1))
    stop = bracket(world)
    terms = {"quantity": D(1), "limit_price": D(61_000)}

    assert amend("bob", resting.order_id, **terms) is AmendRefusal.UNKNOWN
    assert amend("alice", done.order_id, **terms) is AmendRefusal.NOT_OPEN
    assert amend("alice", stop.order_id, **terms) is AmendRefusal.NOT_A_LIMIT
    same = {"quantity": D(1), "limit_price": D(60_000)}
    assert amend("alice", resting.order_id, **same) is AmendRefusal.NOTHING_CHANGES
    resting.filled_quantity = D("0.5")
    less = {"quantity": D("0.5"), "limit_price": D(60_000)}
    assert amend("alice", resting.order_id, **less) is AmendRefusal.BELOW_FILLED


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"quantity": D(100), "limit_price": D(60_000)}, Refusal.INSUFFICIENT_FUNDS),
        ({"quantity": D(1), "limit_price": D("60000.001")}, Refusal.PRICE_PRECISION),
        ({"quantity": D(1), "limit_price": D(70_000)}, Refusal.POST_ONLY_WOULD_CROSS),
    ],
)
def test_a_refused_amendment_leaves_the_order_as_it_was(world, terms, refusal):
    order = world.place(quantity=D(1), limit_price=D(60_000), post_only=True)
    before = world.wallet("USD")
    with pytest.raises(Refused) as refused:
        world.exchange.amend("alice", order.order_id, **terms)

    assert refused.value.refusal is refusal
    assert (order.limit_price, order.amendments, world.wallet("USD")) == (D(60_000), [], before)


# On the wire

TWAP = {
    "base_size": "0.4",
    "limit_price": "66000",
    "start_time": "2026-01-01T00:00:00Z",
    "end_time": "2026-01-01T00:04:00Z",
    "number_buckets": "4",
    "bucket_size": "0.1",
    "bucket_duration": "60s",
}


@pytest.mark.parametrize(
    ("member", "terms", "kind", "trigger"),
    [
        (
            "trigger_bracket_gtc",
            {"base_size": "1", "limit_price": "70000", "stop_trigger_price": "60000"},
            "BRACKET",
            "STOP_PENDING",
        ),
        (
            "trigger_bracket_gtd",
            {
                "base_size": "1",
                "limit_price": "70000",
                "stop_trigger_price": "60000",
                "end_time": "2026-01-02T00:00:00Z",
            },
            "BRACKET",
            "STOP_PENDING",
        ),
        ("twap_limit_gtd", TWAP, "TWAP", "INVALID_ORDER_TYPE"),
    ],
)
async def test_the_venue_takes_them_and_tells_them_back(venue, member, terms, kind, trigger):
    side = "SELL" if kind == "BRACKET" else "BUY"
    made = await venue.place(side=side, order_configuration={member: terms})
    path = f"/orders/historical/{made['success_response']['order_id']}"
    told = (await venue.get(path)).json()["order"]

    assert (told["order_type"], told["status"], told["trigger_status"]) == (kind, "OPEN", trigger)
    assert told["order_configuration"] == {member: terms}


@pytest.mark.parametrize(
    "change",
    [{"number_buckets": "0"}, {"bucket_duration": "soon"}, {"bucket_size": "0.2"}],
)
async def test_a_twap_that_cannot_be_is_a_400(venue, change):
    answer = await venue.place(order_configuration={"twap_limit_gtd": {**TWAP, **change}})

    assert answer["status"] == 400


async def test_an_order_is_edited_and_its_history_told(venue):
    order_id = (await venue.place())["success_response"]["order_id"]

    async def post(path: str, **body: str) -> dict[str, object]:
        said = {"order_id": order_id, **body}
        answer = await venue.http.post(f"{ROOT}/orders/{path}", json=said, auth=venue.auth())
        return answer.json()

    shown = await post("edit_preview", price="61000", size="0.2")
    assert (shown["errors"], shown["quote_size"]) == ([], "12200")
    assert (await post("edit", price="61000", size="0.2"))["success"] is True
    told = (await venue.get(f"/orders/historical/{order_id}")).json()["order"]
    assert told["order_configuration"]["limit_limit_gtc"] == {
        "base_size": "0.2",
        "limit_price": "61000",
        "post_only": False,
    }
    assert [(one["price"], one["size"]) for one in told["edit_history"]] == [("61000", "0.2")]
    again = await post("edit", price="61000", size="0.2")
    assert again["errors"][0]["edit_failure_reason"] == "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"
    dear = await post("edit", price="61000", size="3000")
    assert dear["errors"][0]["preview_failure_reason"] == "PREVIEW_INSUFFICIENT_FUND"
    order_id = "nothing"
    lost = await post("edit_preview", price="61000", size="0.2")
    assert lost["errors"][0]["edit_failure_reason"] == "ORDER_NOT_FOUND"
