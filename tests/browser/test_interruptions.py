"""Nothing freezes silently: an interrupted page says so, comes back, and is right again."""

import os
import signal

import pytest
from playwright.sync_api import expect

from tests.browser.people import await_live, enter_as

pytestmark = pytest.mark.browser


def test_a_page_says_that_it_lost_the_desk_and_recovers_by_itself(page, desk, excuse):
    excuse("WebSocket connection")
    excuse("ERR_CONNECTION_REFUSED")
    excuse("ERR_EMPTY_RESPONSE")
    excuse("ERR_CONNECTION_RESET")
    enter_as(page, "Trader", to="/markets/coinbase_advanced/BTC-USD/")
    await_live(page)
    # A page that lost the desk before its first book has none that could grow old.
    expect(page.locator('[data-book="state"]')).to_have_text("Live")

    os.kill(desk.pids()["web"], signal.SIGKILL)

    banner = page.locator("#interrupted")
    expect(banner).to_contain_text("Live updates interrupted since")
    expect(page.locator("#live-state")).to_contain_text("Reconnecting")
    expect(page.locator('[data-book="state"]')).to_have_text("Stale")
    expect(banner).to_contain_text("Live updates are back", timeout=45_000)
    await_live(page)
    expect(page.locator('[data-book="state"]')).to_have_text("Live")


def test_a_book_whose_feed_stopped_grows_old_on_the_page(page, desk):
    enter_as(page, "Viewer", to="/markets/coinbase_advanced/ETH-USD/")
    state = page.locator('[data-book="state"]')
    expect(state).to_have_text("Live")
    feeds = desk.pids()["feeds"]

    os.kill(feeds, signal.SIGSTOP)
    try:
        expect(state).to_have_text("Stale", timeout=15_000)
    finally:
        os.kill(feeds, signal.SIGCONT)

    expect(state).to_have_text("Live", timeout=15_000)
