from __future__ import annotations

import logging

import pytest
from prometheus_client import REGISTRY

from venues.services.measuring import called, finished, opened
from venues.transport.breaker import State, View
from venues.transport.operation import CANCEL, LIST_ORDERS, Operation
from venues.transport.report import Exchange, Finished, Outcome


def told(operation: Operation, outcome: Outcome, attempts: int = 1) -> Finished:
    return Finished(
        operation=operation.name,
        priority=operation.priority,
        method="POST",
        path="/x",
        reference="ops-1",
        outcome=outcome,
        cause="temporary" if outcome is Outcome.UNKNOWN else "",
        seconds=0.25,
        attempts=attempts,
        budget_left={"key:private": 7.5},
        breaker="closed",
    )


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_an_attempt_is_counted_under_the_name_of_its_operation():
    called("m1", Exchange(method="GET", path="/x", status=200, seconds=1, operation="book"))

    labels = {"venue": "m1", "operation": "book", "outcome": "ok"}
    assert value("cqops_venue_call_seconds_count", **labels) == 1


def test_an_operation_leaves_one_line_with_everything_one_asks_for(caplog):
    with caplog.at_level(logging.INFO):
        finished("m2", "acc", told(CANCEL, Outcome.UNKNOWN, attempts=3))

    assert [record.getMessage() for record in caplog.records] == [
        "venue call venue=m2 account=acc operation='cancel' reference=ops-1 outcome='unknown'"
        " cause=temporary seconds=0.250 attempts=3 budget=key:private:7.5 breaker='closed'"
    ]
    labels = {"venue": "m2", "operation": "cancel"}
    assert value("cqops_venue_operation_seconds_sum", **labels, outcome="unknown") == 0.25
    assert value("cqops_venue_retries_total", **labels) == 2
    assert value("cqops_venue_budget_left", venue="m2", account="acc", bucket="key:private") == 7.5


@pytest.mark.parametrize(
    ("operation", "outcome", "is_written"),
    [
        (LIST_ORDERS, Outcome.OK, False),
        (LIST_ORDERS, Outcome.NOT_SENT, True),
        (CANCEL, Outcome.OK, True),
    ],
)
def test_a_read_that_went_well_fills_no_log(caplog, operation, outcome, is_written):
    with caplog.at_level(logging.INFO):
        finished("m3", "acc", told(operation, outcome))

    assert bool(caplog.records) is is_written


def test_a_breaker_that_moves_is_told_with_its_reason(caplog):
    view = View(state=State.OPEN, failures=5, again_in_seconds=2, last_failure="503")
    opened("m4", "acc", view)

    assert value("cqops_venue_breaker_open", venue="m4", account="acc") == 1
    assert "open after 5 failures; last: 503" in caplog.text
