"""A steady flow of orders from outside, and the books on both sides to compare afterwards."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import redis

PAUSE = 0.2
PATIENCE = 90.0
BACK_WITHIN = 60.0
OVER = {"filled", "cancelled", "rejected", "expired", "refused", "unsent", "withdrawn"}


@dataclass
class Flow:
    """Places small orders until told to stop; an answer that was lost is asked for again by its id."""

    url: str
    token: str
    pause: float = PAUSE
    placed: dict[str, dict[str, Any]] = field(default_factory=dict)
    interruptions: int = 0
    held_before: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=20
        )

    def __enter__(self) -> Flow:
        self.held_before = position(self)  # before the first order, which may fill at once
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.client.close()

    def stop(self) -> None:
        """Place no more orders, and let the last one finish."""
        self._stop.set()
        self._thread.join(timeout=PATIENCE)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            self._place(self._order(number))
            self._stop.wait(self.pause)

    def _order(self, number: int) -> dict[str, Any]:
        side = "buy" if number % 2 else "sell"
        order = {
            "client_order_id": str(uuid.uuid4()),
            "venue": "coinbase_advanced",
            "account": "Main",
            "portfolio": "Treasury book",
            "symbol": "ETH-USD",
            "side": side,
            "order_type": "market",
            "quantity": "0.05",
        }
        if number % 5 == 0 and (price := self._far_from_the_market(side)):
            # So that some orders rest and have to survive.
            order |= {"order_type": "limit", "limit_price": price, "time_in_force": "gtc"}
        return order

    def _far_from_the_market(self, side: str) -> str:
        """Take the price from the book, as the simulated market moves; without a book there is none."""
        try:
            answer = self.client.get("/api/v1/symbols")
        except httpx.TransportError:
            return ""
        if answer.status_code != httpx.codes.OK:
            return ""
        ticker = next(row for row in answer.json() if row["symbol"] == "ETH-USD")
        touch, away = ("bid", "0.93") if side == "buy" else ("ask", "1.07")
        if ticker[touch] is None:
            return ""
        return str((Decimal(ticker[touch]) * Decimal(away)).quantize(Decimal("0.01")))

    def _place(self, order: dict[str, Any]) -> None:
        """Send until there is an answer; the same id makes the repeat harmless."""
        while True:
            try:
                answer = self.client.post("/api/v1/orders", json=order)
            except httpx.TransportError:
                self.interruptions += 1
            else:
                if answer.status_code in {202, 422}:
                    self.placed[order["client_order_id"]] = answer.json()
                    return
                if answer.status_code < 500:
                    raise AssertionError(answer.text)
                self.interruptions += 1
            if self._stop.is_set():
                return
            time.sleep(0.3)

    def read(self, order_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/orders/{order_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def settle(self) -> list[dict[str, Any]]:
        """Cancel what rests, wait until every order is over, and return them all."""
        deadline = time.monotonic() + PATIENCE
        asked: set[str] = set()
        while True:
            orders = [self.read(order["id"]) for order in self.placed.values()]
            still = [order for order in orders if order["state"] not in OVER]
            if not still:
                return orders
            for order in still:
                if order["id"] not in asked and order["order_type"] == "limit":
                    self.client.post(f"/api/v1/orders/{order['id']}/cancel")
                    asked.add(order["id"])
            if time.monotonic() > deadline:
                words = [(order["state"], order["reason"]) for order in still]
                message = f"{len(still)} orders did not come to an end: {words}"
                raise AssertionError(message)
            time.sleep(0.5)


def variables_of(folder: Path) -> dict[str, str]:
    lines = (folder / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def booked(orders: list[dict[str, Any]]) -> Decimal:
    """Add up what our executions moved."""
    signs = {"buy": 1, "sell": -1}
    moved = (
        signs[order["side"]] * Decimal(one["quantity"])
        for order in orders
        for one in order["executions"]
    )
    return sum(moved, Decimal(0))


def await_position(flow: Flow, wanted: Decimal) -> None:
    """Wait until the position is what it has to be: what was missed is absorbed within ten seconds."""
    deadline = time.monotonic() + PATIENCE
    while (found := position(flow)) != wanted:
        if time.monotonic() > deadline:
            message = f"the position is {found}, the executions say {wanted}"
            raise AssertionError(message)
        time.sleep(0.3)


def position(flow: Flow) -> Decimal:
    rows = flow.client.get("/api/v1/positions").json()["results"]
    mine = [row for row in rows if row["portfolio"] == "Treasury book" and row["asset"] == "ETH"]
    return sum((Decimal(row["quantity"]) for row in mine), Decimal(0))


def await_green(url: str, *, within: float = BACK_WITHIN) -> None:
    """Wait for /statusz, and say what is missing when it stays red."""
    await_status(url, 200, within=within)


def await_status(url: str, code: int, *, within: float = BACK_WITHIN, words: str = "") -> None:
    deadline = time.monotonic() + within
    said = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/statusz", timeout=5)
        except httpx.TransportError as error:
            said = repr(error)
        else:
            if answer.status_code == code and words in answer.text:
                return
            said = answer.text
        time.sleep(0.3)
    message = f"/statusz was not {code} {words} within {within:.0f} s: {said}"
    raise AssertionError(message)


def assert_nothing_lost(flow: Flow, folder: Path) -> list[dict[str, Any]]:
    """Let every order come to its end, and hold our books against the venue's and the outside's."""
    flow.stop()
    orders = flow.settle()
    assert compare(orders, VenueBooks.read(folder)) == []
    await_position(flow, flow.held_before + booked(orders))
    await_green(flow.url)
    assert missed(orders, told_outside(folder)) == []
    return orders


def told_outside(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Read what programs were told about each order, each event once, in the order it arrived."""
    variables = variables_of(folder)
    told: dict[str, dict[int, dict[str, Any]]] = {}
    with redis.Redis.from_url(variables["REDIS_URL"], decode_responses=True) as client:
        for _, event in client.xrange("events:order"):
            one = told.setdefault(event["aggregate_id"], {})
            payload = json.loads(event["payload"])
            one.setdefault(int(event["id"]), {"kind": event["kind"], **payload})
    return {key: list(events.values()) for key, events in told.items()}


def missed(orders: list[dict[str, Any]], told: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Name every order of which the outside does not know exactly what we know."""
    found = []
    for order in orders:
        events = told.get(order["id"], [])
        kinds = [event["kind"] for event in events]
        fills = {e["venue_execution_id"] for e in events if e["kind"] == "order.executed"}
        moves = [event for event in events if event["kind"] == "order.moved"]
        steps = zip(["queued", *(move["there"] for move in moves)], moves, strict=False)
        if kinds[:1] != ["order.placed"] or len(fills) != len(order["executions"]):
            found.append(f"{order['id']}: {kinds}, {len(order['executions'])} executions here")
        elif not all(before == move["here"] for before, move in steps):
            found.append(f"{order['id']}: its moves arrived out of order")
        elif moves and moves[-1]["there"] != order["state"]:
            found.append(f"{order['id']}: {order['state']}, the outside heard {moves[-1]['there']}")
    return found


@dataclass(frozen=True)
class VenueBooks:
    """What the simulated venue itself has written down, read behind its back."""

    orders: dict[str, dict[str, Any]]
    fills: dict[str, list[dict[str, Any]]]

    @classmethod
    def read(cls, folder: Path) -> VenueBooks:
        path = folder / "simulator" / "coinbase_advanced.sqlite3"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as journal:
            orders = [json.loads(row[0]) for row in journal.execute("SELECT body FROM orders")]
            fills = [json.loads(row[0]) for row in journal.execute("SELECT body FROM fills")]
        journal.close()
        by_order: dict[str, list[dict[str, Any]]] = {}
        for one in fills:
            by_order.setdefault(one["order_id"], []).append(one)
        return cls({one["instruction"]["client_order_id"]: one for one in orders}, by_order)


def compare(orders: list[dict[str, Any]], venue: VenueBooks) -> list[str]:
    """Name every difference between our books and the venue's."""
    differences = []
    for order in orders:
        key = order["client_order_id"]
        theirs = venue.orders.get(key)
        booked = sum((Decimal(one["quantity"]) for one in order["executions"]), Decimal(0))
        if theirs is None:
            if order["state"] not in {"unsent", "refused", "withdrawn", "rejected"}:
                differences.append(f"{key}: {order['state']} here, unknown at the venue")
            continue
        filled = venue.fills.get(theirs["order_id"], [])
        if len(filled) != len(order["executions"]):
            differences.append(f"{key}: {len(filled)} fills there, {len(order['executions'])} here")
        if booked != Decimal(theirs["filled_quantity"]):
            differences.append(f"{key}: {theirs['filled_quantity']} filled there, {booked} here")
        if order["state"] in {"unsent", "refused", "withdrawn"}:
            differences.append(f"{key}: {order['state']} here, {theirs['state']} at the venue")
    return differences
