"""The net under browser tests holds: whatever a page complains about is heard."""

import http.server
import threading
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.browser

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'"
PAGES = {
    "/": ("text/html", "<!doctype html><title>Quiet</title><link rel=icon href=/icon><p>ok"),
    "/icon": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "/inline": ("text/html", "<!doctype html><link rel=icon href=/icon><script>1</script>"),
    "/throws": (
        "text/html",
        "<!doctype html><link rel=icon href=/icon><script src=/t.js></script>",
    ),
    "/t.js": ("text/javascript", "throw new Error('kaput')"),
    "/lost": ("text/html", "<!doctype html><link rel=icon href=/icon><img src=/nowhere>"),
}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, body = PAGES.get(self.path, ("text/plain", ""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def desk():
    """Stand in for the desk: pages that misbehave on purpose."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    thread.join()
    server.server_close()


def heard(watch) -> str:
    """Take note of the complaints, and take them away: here they are expected."""
    text = "\n".join(watch.complaints)
    watch.complaints.clear()
    return text


def test_a_quiet_page_has_nothing_to_complain_about(page, watch):
    page.goto("/")
    assert page.title() == "Quiet"
    assert watch.left() == []


def test_a_violated_policy_is_heard(page, watch):
    page.goto("/inline")
    assert "Content Security Policy" in heard(watch)


def test_an_uncaught_error_is_heard(page, watch):
    page.goto("/throws")
    assert "kaput" in heard(watch)


def test_a_missing_file_is_heard_unless_it_is_excused(page, watch, excuse):
    page.goto("/lost")
    assert "status of 404" in watch.left()[0]
    excuse("status of 404")
    assert watch.left() == []


def test_two_people_have_sessions_of_their_own(new_page):
    first, second = (
        new_page(),
        new_page(color_scheme="dark", viewport={"width": 390, "height": 844}),
    )
    assert first.context is not second.context
    second.goto("/")
    assert second.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
