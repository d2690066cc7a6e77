"""Ids that follow an order from the page into the worker, and lines that carry them."""

import json
import logging
import types

import pytest
from celery.app.task import Context

from cqops.platform.background import Background
from cqops.platform.telemetry import signals
from cqops.platform.telemetry.logs import JsonLines, Lines, decision_id, request_id, trace_id
from cqops.platform.telemetry.trace import carried, deciding, resume, trace_of

REDACT = "venues.transport.redact.redact_text"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True)
def _ids_of_this_test_alone():
    tokens = [(one, one.set("")) for one in (request_id, trace_id, decision_id)]
    yield
    for one, token in tokens:
        one.reset(token)


def record(text="hello", **more):
    return logging.LogRecord("cqops.x", logging.INFO, __file__, 1, text, (), None, **more)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", True),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_a_trace_goes_on_where_the_caller_says_so_and_else_begins(given, kept):
    found = trace_of(given)

    assert (found == TRACE) is kept
    assert len(found) == 32


def test_a_line_carries_the_ids_that_are_known():
    request_id.set("r1")
    trace_id.set("t1")
    with deciding("d1"):
        line = Lines(REDACT).format(record())

    assert line.endswith("hello request=r1 trace=t1 decision=d1")
    assert Lines(REDACT).format(record()).endswith("hello request=r1 trace=t1")


def test_json_lines_say_the_same_and_hide_the_same():
    trace_id.set("t1")

    line = json.loads(JsonLines(REDACT).format(record('password="hunter2"\nsecond line')))

    assert (line["level"], line["logger"], line["trace"]) == ("INFO", "cqops.x", "t1")
    assert "hunter2" not in line["message"]


def test_a_traceback_is_part_of_the_line_and_redacted():
    error = ValueError("Bearer abcdefghijkl")
    one = record()
    one.exc_info = (type(error), error, None)

    line = json.loads(JsonLines(REDACT).format(one))

    assert "ValueError" in line["traceback"]
    assert "abcdefghijkl" not in line["traceback"]


def test_a_task_goes_on_with_the_ids_of_whoever_rang():
    request_id.set("r1")
    trace_id.set("t1")
    headers = {}
    signals._pack(headers=headers)
    request_id.set("")
    trace_id.set("")
    # The worker makes its request from the headers of the message.
    task = types.SimpleNamespace(name="x", request=Context(headers))

    signals._begin(task_id="1", task=task)

    assert carried() == {"request_id": "r1", "trace_id": "t1"}


@pytest.mark.parametrize("ids", [None, {}, {"request_id": "a b\nINFO forged", "trace_id": 7}])
def test_a_task_without_good_ids_begins_a_trace_of_its_own(ids):
    resume(ids)

    assert request_id.get() == ""
    assert len(trace_id.get()) == 32


def test_a_hint_is_carried_out_under_the_ids_of_whoever_gave_it():
    seen = []
    background = Background("test")
    trace_id.set("t1")
    background.give(lambda: seen.append(trace_id.get()))
    trace_id.set("t2")
    background.wait()

    assert seen == ["t1"]


def test_a_page_answers_under_the_trace_it_was_asked_with(client, caplog):
    caplog.handler.setFormatter(Lines(REDACT))
    with caplog.at_level(logging.INFO, "cqops.requests"):
        client.get("/sign-out/", headers={"Traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})

    assert f"trace={TRACE}" in caplog.text
