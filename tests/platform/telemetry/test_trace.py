"""Ids that follow an order from the page into the worker, and lines that carry them."""

import json
import logging
import types

import pytest
from celery.app.task import Context

from cqops.platform.background import Background
from cqops.platform.telemetry import signals
from cqops.platform.telemetry.logs import JsonLines, Lines, decision_id, request_id, trace_id
from cqops.platform.telemetry.trace import (
    Place,
    at,
    begin,
    begun,
    carried,
    deciding,
    following,
    resume,
    span_id,
    traceparent,
)

REDACT = "venues.transport.redact.redact_text"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.fixture(autouse=True)
def _ids_of_this_test_alone():
    tokens = [(one, one.set("")) for one in (request_id, trace_id, span_id, decision_id)]
    yield
    for one, token in tokens:
        one.reset(token)


def record(text="hello", **more):
    return logging.LogRecord("cqops.x", logging.INFO, __file__, 1, text, (), None, **more)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_a_trace_goes_on_where_the_caller_says_so_and_else_begins(given, kept):
    found = begun(given)

    assert (found == Place(TRACE, SPAN)) is kept
    assert len(found.trace) == 32


@pytest.mark.parametrize("given", [f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{'0' * 16}-01"])
def test_a_span_that_nobody_recorded_is_none_to_belong_under(given):
    assert begun(given) == Place(TRACE)


def test_a_place_is_written_down_so_that_it_can_be_gone_on_from():
    assert traceparent() == ""
    with at(Place(TRACE, SPAN)):
        assert traceparent() == f"00-{TRACE}-{SPAN}-01"
    with at(Place(TRACE)):
        # Nothing recorded it: the trace goes on, and nobody looks for that span.
        assert begun(traceparent()) == Place(TRACE)


def test_whoever_follows_a_trace_is_back_in_their_own_afterwards():
    with at(Place("1" * 32, "2" * 16)):
        with following(f"00-{TRACE}-{SPAN}-01"):
            assert (trace_id.get(), span_id.get()) == (TRACE, SPAN)
        assert (trace_id.get(), span_id.get()) == ("1" * 32, "2" * 16)


@pytest.mark.parametrize("given", ["", f"00-{TRACE}-{'3' * 16}-01"])
def test_whoever_is_in_a_trace_already_or_knows_none_stays_where_they_are(given):
    with at(Place(TRACE, SPAN)), following(given):
        assert (trace_id.get(), span_id.get()) == (TRACE, SPAN)


def test_a_message_leaves_the_ids_of_the_last_one_behind():
    begin(request="r1", traceparent=f"00-{TRACE}-{SPAN}-01")
    decision_id.set("d1")
    begin()

    assert (request_id.get(), decision_id.get(), span_id.get()) == ("", "", "")
    assert len(trace_id.get()) == 32
    assert trace_id.get() != TRACE


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
    begin(request="r1", traceparent=f"00-{TRACE}-{SPAN}-01")
    headers = {}
    signals._pack(headers=headers)
    begin()
    # The worker makes its request from the headers of the message.
    task = types.SimpleNamespace(name="x", request=Context(headers))

    signals._begin(task_id="1", task=task)

    assert carried() == {"request_id": "r1", "traceparent": f"00-{TRACE}-{SPAN}-01"}


@pytest.mark.parametrize("ids", [None, {}, {"request_id": "a b\nINFO forged", "traceparent": 7}])
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
        client.get("/sign-out/", headers={"Traceparent": f"00-{TRACE}-{SPAN}-01"})

    assert f"trace={TRACE}" in caplog.text


def test_the_line_of_a_request_has_its_parts_as_fields_too(client, caplog):
    with caplog.at_level(logging.INFO, "cqops.requests"):
        client.get("/sign-out/?token=hunter2")
        client.get("/nowhere/")

    lines = [json.loads(JsonLines(REDACT).format(one)) for one in caplog.records]
    known, unknown = [one for one in lines if one["logger"] == "cqops.requests"]
    assert {name: known[name] for name in ("method", "route", "status", "caller")} == {
        "method": "GET",
        "route": "sign-out/",
        "status": 405,
        "caller": "-",
    }
    assert isinstance(known["ms"], int)
    assert known["message"].startswith("GET sign-out/ 405 ")
    assert (unknown["route"], unknown["status"]) == ("/nowhere/", 404)


def test_fields_are_redacted_and_never_replace_what_a_line_is():
    one = record()
    one.fields = {"at": "never", "level": "never", "caller": 'password="hunter2"', "nobody": None}

    line = json.loads(JsonLines(REDACT).format(one))

    assert line["at"] != "never"
    assert line["level"] == "INFO"
    assert "hunter2" not in line["caller"]
