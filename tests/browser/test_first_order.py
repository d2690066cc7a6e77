"""The newcomer's first ten minutes: see the book move, place an order, see what becomes of it."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import await_live, enter_as
from venues.interface.numbers import plain

pytestmark = pytest.mark.browser

TICKET = "/orders/new/"


def _fill_ticket(page: Page, *, side: str, kind: str, quantity: str, price: str = "") -> None:
    page.locator(f".segment-{side}").click()
    page.locator(f".segment-{kind}").click()
    page.select_option("#id_portfolio", label="Treasury book")
    page.fill("#id_quantity", quantity)
    if price:
        page.fill("#id_limit_price", price)


def _best(page: Page, side: str) -> str:
    rows = page.locator(f".level-{side} .level-price")
    cell = rows.first if side == "bid" else rows.last
    expect(cell).to_have_text(re.compile(r"\d"))
    return re.sub(r"[^\d.]", "", cell.inner_text())


def _held(page: Page) -> Decimal:
    """Read how much bitcoin the positions page shows: other tests trade on the same desk."""
    cell = page.locator("tr", has_text="BTC in USD").locator("[data-quantity]")
    return Decimal(cell.get_attribute("data-quantity")) if cell.count() else Decimal(0)


def test_the_book_moves_by_itself(page):
    enter_as(page, "Viewer", to="/markets/coinbase_advanced/BTC-USD/")
    await_live(page)
    expect(page.locator('[data-book="state"]')).to_have_text("Live")
    ladder = page.locator(".ladder")
    first = ladder.inner_text()

    expect(ladder).not_to_have_text(first)
    expect(page.locator(".tape tbody tr").first).to_be_visible()
    expect(page.locator(".level")).to_have_count(30)


def test_an_order_fills_in_blotter_and_position_without_reloading(new_page):
    blotter, positions, ticket = new_page(), new_page(), new_page()
    enter_as(blotter, "Trader", to="/orders/?portfolio=Treasury+book")
    enter_as(positions, "Trader", to="/positions/?portfolio=Treasury+book")
    for page in (blotter, positions):
        await_live(page)
        page.evaluate("window.neverReloaded = true")
    before = _held(positions)
    enter_as(ticket, "Trader", to=TICKET)

    _fill_ticket(ticket, side="buy", kind="market", quantity="0.0125")
    send = ticket.locator("#send")
    expect(send).to_have_text(re.compile(r"Buy 0\.0125 BTC\s+at the market\s+for Treasury book"))
    send.click()
    ticket.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))
    order_id = ticket.url.rstrip("/").rpartition("/")[2]

    row = blotter.locator(f'tr[data-order="{order_id}"]')
    expect(row).to_have_attribute("data-state", "filled", timeout=15_000)
    expect(ticket.locator("#order .badge").first).to_have_text("Filled")
    held = positions.locator("tr", has_text="BTC in USD").locator("[data-quantity]")
    expect(held).to_have_attribute("data-quantity", plain(before + Decimal("0.0125")))
    for page in (blotter, positions):
        assert page.evaluate("window.neverReloaded") is True


def test_a_resting_order_is_cancelled_from_the_blotter(new_page):
    page, blotter = new_page(), new_page()
    enter_as(blotter, "Trader", to="/orders/?state=open&portfolio=Treasury+book")
    await_live(blotter)
    enter_as(page, "Trader", to=TICKET)
    low = f"{float(_best(page, 'bid')) * 0.95:.2f}"
    _fill_ticket(page, side="buy", kind="limit", quantity="0.01", price=low)
    page.locator("#send").click()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))
    order_id = page.url.rstrip("/").rpartition("/")[2]

    row = blotter.locator(f'tr[data-order="{order_id}"]')
    expect(row).to_have_attribute("data-state", "acknowledged")
    row.get_by_role("button", name="Cancel").click()

    expect(row).to_have_count(0, timeout=15_000)
    expect(page.locator("#order .badge").first).to_have_text("Cancelled", timeout=15_000)


def test_a_click_on_the_book_sets_the_price(page):
    enter_as(page, "Trader", to=TICKET)
    await_live(page)
    page.get_by_role("button", name="Pause").click()
    level = page.locator(".level-bid").nth(3)
    wanted = re.sub(r"[^\d.]", "", level.locator(".level-price").inner_text())

    level.click()

    expect(page.locator("#id_limit_price")).to_have_value(re.compile(r"\d"))
    assert Decimal(page.locator("#id_limit_price").input_value()) == Decimal(wanted)
    expect(page.locator("#id_limit_price")).to_be_focused()


def test_the_checks_say_what_is_wrong_before_anything_is_sent(page):
    enter_as(page, "Trader", to=TICKET)
    price = float(_best(page, "ask"))
    _fill_ticket(page, side="buy", kind="limit", quantity="0.01", price=f"{price * 2:.2f}")

    expect(page.locator(".verdict-block")).to_contain_text("worse than the best price")
    expect(page.locator(".ticket-send")).to_be_disabled()


def test_a_ticket_is_written_and_sent_by_keyboard_alone(page):
    enter_as(page, "Trader", to=TICKET)
    await_live(page)
    page.locator("#id_quantity").focus()
    page.keyboard.type("0.001")
    page.locator('[name="order_type"][value="limit"]').focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#send")).to_contain_text("at the market")

    page.locator("#send").focus()
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))


def test_another_symbol_brings_its_own_book_and_units(page):
    enter_as(page, "Trader", to=TICKET)
    page.fill("#id_quantity", "2")

    page.select_option("#id_symbol", label="ETH-USD at Coinbase Advanced")

    expect(page.locator(".field-quantity label")).to_contain_text("in ETH")
    expect(page.locator(".ladder")).to_have_attribute("aria-label", "Order book of ETH-USD")
    expect(page.locator("#id_quantity")).to_have_value("2")
