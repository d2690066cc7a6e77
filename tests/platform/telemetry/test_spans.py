"""Spans on their way to a collector, and everything that must not happen on it."""

import os
import subprocess
import sys
import textwrap
import threading

import pytest

from checks.tools import ROOT
from cqops.platform.access.policy import Role
from cqops.platform.local.ports import free_port
from cqops.platform.telemetry import recording, spans
from cqops.platform.telemetry.logs import trace_id
from cqops.platform.telemetry.metrics import SPANS_DROPPED
from cqops.platform.telemetry.recording import Outgoing
from cqops.platform.telemetry.spans import Kind, flush, happened, name_process, span
from cqops.platform.telemetry.trace import Place, at, begun
from tests import cast
from tests.collector import collecting

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def collector(settings):
    with collecting() as (found, address):
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = address
        name_process("test")
        yield found
        name_process("cqops")


@pytest.fixture
def away(settings):
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    name_process("test")
    yield
    name_process("cqops")


def dropped():
    return SPANS_DROPPED._value.get()


def run(script, **environment):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(30)
def test_without_an_endpoint_neither_its_spans_nor_its_exporter_are_even_imported():
    # The Redis client imports the half for metrics by itself, wherever it is installed.
    done = run(
        """
        import os, sys, django
        django.setup()
        from cqops.platform.telemetry.spans import happened, span
        from cqops import celery
        with span("a", one=1) as opened:
            opened.rename("b"); opened.set(two=2); opened.fail("x")
        happened("c", seconds=1)
        ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto")
        print(sorted(name for name in sys.modules if name.startswith(ours)))
        """,
        DJANGO_SETTINGS_MODULE="cqops.settings",
        OTEL_EXPORTER_OTLP_ENDPOINT="",
    )

    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.timeout(30)
def test_the_child_of_a_fork_records_by_itself():
    with collecting() as (found, address):
        done = run(
            """
            import os, django
            django.setup()
            from cqops.platform.telemetry.spans import flush, name_process, span
            name_process("worker")
            with span("before the fork"): pass
            if child := os.fork():
                os.waitpid(child, 0)
                assert flush()
            else:
                with span("in the child"): pass
                os._exit(0 if flush() else 1)
            """,
            DJANGO_SETTINGS_MODULE="cqops.settings",
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
        )

    assert done.returncode == 0, done.stderr
    parent, child = found.one("before the fork"), found.one("in the child")
    assert (parent.process, child.process) == ("worker", "worker")
    assert parent.instance != child.instance


def test_spans_lie_inside_each_other_and_in_the_trace_of_the_log_lines(collector):
    with at(begun()):
        logged = trace_id.get()
        with span("outer", kind=Kind.SERVER, order_id="o1"), span("inner"):
            happened("just over", seconds=2.5, failed="no answer")
    assert flush()

    outer, inner, over = (collector.one(name) for name in ("outer", "inner", "just over"))
    assert {one.trace for one in (outer, inner, over)} == {logged}
    assert (outer.parent, inner.parent, over.parent) == ("", outer.span, inner.span)
    assert outer.attributes == {"order_id": "o1"}
    assert (over.failed, round(over.seconds, 1)) == ("no answer", 2.5)


def test_a_place_that_came_from_elsewhere_is_gone_on_with(collector):
    with at(Place(TRACE, PARENT)), span("here"):
        pass
    with span("of no trace at all"):
        pass
    assert flush()

    assert (collector.one("here").trace, collector.one("here").parent) == (TRACE, PARENT)
    assert len(collector.one("of no trace at all").trace) == 32


def test_after_a_span_everything_is_as_before(collector):
    with at(Place(TRACE, PARENT)):
        with span("here"):
            assert spans._here().span != PARENT
        assert spans._here() == Place(TRACE, PARENT)


def test_an_exception_is_told_by_its_type_and_never_by_its_words(collector):
    @span("failing")
    def fail():
        message = "password=hunter2"
        raise ValueError(message)

    with pytest.raises(ValueError, match="hunter2"):
        fail()
    assert flush()

    seen = collector.one("failing")
    assert seen.failed == "ValueError"
    assert "hunter2" not in seen.text


def test_threads_do_not_mix_their_traces(collector):
    def work(number):
        with at(Place(f"{number:032x}")):
            for _ in range(50):
                with span(f"of {number}"):
                    pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert flush()

    assert len(collector.spans) == 200
    assert all(one.name == f"of {int(one.trace, 16)}" for one in collector.spans)


class TestACollectorThatIsAway:
    def test_costs_the_spans_and_nothing_else_and_is_told_of_once(self, away, caplog, monkeypatch):
        monkeypatch.setattr(recording, "EXPORT_SECONDS", 0.2)
        before = dropped()
        for number in range(3):
            with span(f"a{number}"):
                pass
            assert flush()

        assert dropped() == before + 3
        assert caplog.text.count("spans are dropped") == 1

    def test_is_used_again_when_it_is_back(self, collector, caplog):
        collector.answer = 400
        for name in ("lost", "lost too"):
            with span(name):
                pass
            assert flush()
        collector.answer = 200
        with span("kept"):
            pass
        assert flush()

        assert [one.name for one in collector.spans] == ["kept"]
        assert caplog.text.count("spans are dropped") == 1
        assert "is back" in caplog.text

    def test_holds_up_no_exit(self, away, monkeypatch):
        monkeypatch.setattr(recording, "EXPORT_SECONDS", 0.2)
        with span("last"):
            pass
        name_process("ended")

        assert spans._own.recorder is None

    @pytest.mark.django_db
    def test_never_reaches_a_page(self, away, client, monkeypatch):
        monkeypatch.setattr(recording, "EXPORT_SECONDS", 0.2)
        client.force_login(cast.person(Role.TRADER))

        assert client.get("/orders/").status_code == 200


class Hanging:
    """A collector that takes the first batch and never answers."""

    def __init__(self):
        self.taken = threading.Event()
        self.released = threading.Event()

    def export(self, batch):
        self.taken.set()
        self.released.wait(5)
        return recording.SpanExportResult.SUCCESS

    def shutdown(self):
        return


def test_a_full_queue_drops_what_comes_and_waits_for_nobody(monkeypatch):
    monkeypatch.setattr(recording, "ROOM", 2)
    monkeypatch.setattr(recording, "LINGER_SECONDS", 0)
    hanging = Hanging()
    outgoing = Outgoing(hanging, to="nowhere")
    before = dropped()
    outgoing.on_end("first")
    assert hanging.taken.wait(5)
    for number in range(5):
        outgoing.on_end(number)

    assert dropped() == before + 3
    hanging.released.set()
    outgoing.shutdown()


def test_a_recorder_that_cannot_be_made_is_told_of_once(settings, monkeypatch, caplog):
    def broken(endpoint, process):
        message = "no such certificate"
        raise OSError(message)

    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:1"
    monkeypatch.setattr(spans, "_made", broken)
    name_process("test")
    for _ in range(3):
        with span("nothing") as opened:
            opened.set(one=1)

    assert caplog.text.count("no traces from this process") == 1
    name_process("cqops")


@pytest.mark.django_db
class TestARequest:
    def test_is_one_span_named_by_its_route_under_the_callers(self, collector, client):
        client.force_login(cast.person(Role.TRADER))
        headers = {"Traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "my-own-request"}
        client.get("/orders/0b9b7d1e-0000-0000-0000-000000000000/?secret=1", headers=headers)
        client.get("/healthz")
        assert flush()

        seen = collector.one("GET /orders/<uuid:order_id>/")
        assert (seen.trace, seen.parent) == (TRACE, PARENT)
        assert seen.attributes["http.response.status_code"] == 404
        assert seen.attributes["request_id"] == "my-own-request"
        assert "secret" not in seen.text
        assert len(collector.spans) == 1

    def test_that_fails_says_so(self, collector, client, monkeypatch):
        def broken(*args, **kwargs):
            raise ZeroDivisionError

        client.raise_request_exception = False
        client.force_login(cast.person(Role.TRADER))
        monkeypatch.setattr(
            "django.contrib.messages.middleware.MessageMiddleware.process_request", broken
        )
        client.get("/orders/")
        assert flush()

        assert [one.failed for one in collector.spans] == ["500"]
