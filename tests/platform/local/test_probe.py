"""The health of a container, judged by what the desk answers."""

import http.server
import json
import threading

import pytest

from cqops.platform.local import probe, readiness
from cqops.platform.local.ports import free_port


@pytest.fixture
def page():
    """Serve one answer, remember what was asked."""
    answer = {"status": 200, "body": b"ok", "asked": []}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer["asked"].append((self.path, dict(self.headers)))
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    answer["port"] = server.server_address[1]
    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def parts(**found: bool) -> bytes:
    told = {name: {"ok": ok, "detail": f"{name} says so"} for name, ok in found.items()}
    return json.dumps({"status": "ok", "parts": told}).encode()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (404, 0), (500, 1), (503, 1)])
def test_a_server_that_answers_lives(page, status, code):
    page["status"] = status
    assert probe.main([f"127.0.0.1:{page['port']}"]) == code
    assert page["asked"][0][0] == "/healthz"


def test_a_server_that_does_not_answer_is_dead(capsys):
    assert probe.main([f"127.0.0.1:{free_port()}"]) == 1
    assert "does not answer" in capsys.readouterr().out


def test_a_process_without_a_port_is_judged_by_the_status_page(page):
    page.update(status=503, body=parts(worker=True, feeds=False))
    assert probe.main([f"127.0.0.1:{page['port']}", "worker"]) == 0
    assert probe.main([f"127.0.0.1:{page['port']}", "feeds"]) == 1
    assert probe.main([f"127.0.0.1:{page['port']}", "reports"]) == 1
    assert page["asked"][0][0] == "/statusz"


def test_the_probe_speaks_the_way_the_proxy_does(page, monkeypatch):
    monkeypatch.setenv("ALLOWED_HOSTS", "desk.example.com,other")
    probe.main([f"127.0.0.1:{page['port']}"])
    headers = page["asked"][0][1]
    assert headers["Host"] == "desk.example.com"
    assert headers["X-Forwarded-Proto"] == "https"


def test_a_desk_is_green_when_its_page_says_so(page):
    page["body"] = parts(worker=True)
    assert readiness.ask(page["port"]).is_green


def test_a_desk_that_is_not_green_names_what_is_missing(page):
    page.update(status=503, body=parts(worker=True, feeds=False))
    assert readiness.ask(page["port"]).waiting_for == ["feeds: feeds says so"]


def test_a_page_that_fails_is_named_by_its_answer(page):
    page.update(status=500, body=b"<html>")
    assert readiness.ask(page["port"]).waiting_for == ["web: /statusz answers 500"]
