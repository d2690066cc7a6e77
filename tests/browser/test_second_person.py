"""Two people side by side: a large order is asked for, agreed to live, sent and filled.

Other tests ask things of the same desk: nothing here counts on an empty inbox.
"""

import hashlib
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import night
from tests.browser.people import await_live, enter_as

pytestmark = pytest.mark.browser

TICKET = "/orders/new/"
PURPOSE = "Rebalance after a redemption"
REQUEST = re.compile(r"/approvals/[0-9a-f-]{36}/$")


@pytest.fixture
def taken_back(desk) -> Iterator[list[str]]:
    """Withdraw at the end whatever a failed test left waiting."""
    orders: list[str] = []
    yield orders
    for order_id in orders:
        night.take_back(desk, order_id)


def _ask_for(page: Page, quantity: str, orders: list[str]) -> str:
    """Send a market ticket above the threshold and give its request's id."""
    enter_as(page, "Trader", to=TICKET)
    await_live(page)
    page.locator(".segment-buy").click()
    page.locator(".segment-market").click()
    page.select_option("#id_portfolio", label="Treasury book")
    page.fill("#id_quantity", quantity)
    page.fill("#id_purpose", PURPOSE)
    send = page.locator("#send")
    expect(send).to_have_text(re.compile(r"Ask a second person: buy"))
    expect(page.locator(".verdict-needs_approval")).to_contain_text("once somebody else agrees")
    send.click()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))
    orders.append(page.url.rstrip("/").rpartition("/")[2])
    await_live(page)
    expect(page.locator("#order .badge").first).to_have_text("Awaiting approval")
    address = page.get_by_role("link", name="Open the request").get_attribute("href")
    return address.rstrip("/").rpartition("/")[2]


def _row(page: Page, request_id: str) -> Locator:
    return page.locator(f'.inbox tr[data-request="{request_id}"]')


def _waiting(page: Page) -> int:
    """Read the number beside the navigation; nothing stands there for none."""
    found = page.locator("#approvals-count .count")
    return int(re.sub(r"\D", "", found.inner_text())) if found.count() else 0


def _expect_waiting(page: Page, number: int) -> None:
    _expect_number(page.locator("#approvals-count"), number)


def _expect_number(count: Locator, number: int) -> None:
    expect(count).to_have_text(re.compile(rf"^\s*{number}\D*$" if number else r"^\s*$"))


def _open_by_keyboard(page: Page, row: Locator) -> None:
    """Step down to the row and open it."""
    link = row.locator("[data-row]")
    for _ in range(page.locator(".inbox [data-row]").count()):
        page.keyboard.press("j")
        if link.evaluate("link => link === document.activeElement"):
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(REQUEST)
    await_live(page)


def _approve_by_keyboard(page: Page) -> None:
    """Press approve, be led to what has to be confirmed first, and press again."""
    page.keyboard.press("a")
    expect(page.locator("#approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#is-confirmed")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("a")
    page.keyboard.press("Enter")


def test_asked_agreed_live_sent_and_filled(new_page, taken_back):
    trader, inbox, overview = new_page(), new_page(), new_page()
    enter_as(inbox, "Approver", to="/approvals/")
    enter_as(overview, "Approver")
    for page in (inbox, overview):
        await_live(page)
        page.evaluate("window.neverReloaded = true")
    before = _waiting(inbox)
    request_id = _ask_for(trader, "0.9", taken_back)
    trader.evaluate("window.neverReloaded = true")

    # Both pages of the second person hear of it by themselves.
    row = _row(inbox, request_id)
    expect(row).to_contain_text("Main, Treasury book")
    expect(row.locator("[data-label=Age]")).to_have_text(re.compile(r"^\d+ (s|min)"))
    _expect_waiting(inbox, before + 1)
    expect(overview.locator(".need", has_text="Waits for your decision")).to_be_visible()
    assert inbox.evaluate("window.neverReloaded") is True

    _open_by_keyboard(inbox, row)
    evidence = inbox.locator("#evidence")
    expect(inbox.locator(".instruction")).to_contain_text(PURPOSE)
    expect(inbox.locator("[data-until]").first).to_have_text(re.compile(r"\d+ min \d+ s left"))
    expect(evidence).to_contain_text("Not simulated by the venue")
    expect(inbox.locator(".forecast")).to_contain_text("+0.9")
    _approve_by_keyboard(inbox)

    expect(trader.locator("#order .badge").first).to_have_text("Filled", timeout=20_000)
    expect(trader.locator("#order")).to_contain_text("Approved by Alma Okafor.")
    expect(evidence.locator(".badge").first).to_have_text("Executed", timeout=15_000)
    for state in ("Queued", "Sending", "Acknowledged", "Filled"):
        expect(inbox.locator("#timeline")).to_contain_text(state, timeout=15_000)
    expect(inbox.locator("#approve")).to_have_count(0)
    _expect_waiting(inbox, before)
    assert trader.evaluate("window.neverReloaded") is True
    assert overview.evaluate("window.neverReloaded") is True


def test_refused_with_a_reason_that_the_trader_reads(new_page, taken_back):
    trader, approver = new_page(), new_page()
    enter_as(approver, "Approver", to="/approvals/")
    await_live(approver)
    request_id = _ask_for(trader, "0.8", taken_back)
    _row(approver, request_id).locator("a").first.click()
    approver.wait_for_url(REQUEST)
    refuse = approver.locator("#refuse")
    refuse.click()
    expect(approver.locator("#code")).to_be_focused()
    approver.locator("#code").select_option("wrong_moment")
    approver.locator("#reason").focus()
    approver.keyboard.type("Not before the meeting")
    # Reading the page again must not take away what is typed, chosen or unfolded.
    approver.locator("#compare summary").click()
    age = approver.locator("#evidence header .end").first
    was = age.inner_text()
    expect(age).not_to_have_text(was, timeout=15_000)
    expect(approver.locator("#full-hash")).to_be_visible()
    expect(approver.locator("#reason")).to_have_value("Not before the meeting")
    expect(approver.locator("#code")).to_have_value("wrong_moment")
    refuse.click()

    expect(trader.locator("#order .badge").first).to_have_text("Denied", timeout=15_000)
    expect(trader.locator("#order")).to_contain_text("Alma Okafor: Not before the meeting")
    expect(approver.locator("#evidence .moves").first).to_contain_text("Not the right moment")


def test_the_trader_sees_who_is_asked_and_takes_it_back(new_page, taken_back):
    trader, admin = new_page(), new_page()
    _ask_for(trader, "0.85", taken_back)
    trader.get_by_role("link", name="Open the request").click()
    expect(trader.locator(".voice-can")).to_contain_text("Alma Okafor can decide")
    expect(trader.locator("#approve")).to_have_count(0)
    address = trader.url

    enter_as(admin, "Admin")
    admin.goto(address)
    expect(admin.locator("#decide")).to_contain_text("You are not among those who decide this")

    trader.get_by_role("button", name="Withdraw the request").click()
    expect(trader.locator("#evidence .badge").first).to_have_text("Withdrawn")


def test_the_count_is_live_in_the_admin_too(new_page, taken_back):
    """The number comes and goes without the admin being loaded again."""
    trader, admin = new_page(), new_page()
    enter_as(admin, "Approver")
    before = _waiting(admin)
    admin.goto("/admin/")
    count = admin.locator("[data-approvals-count]")
    expect(count).to_be_attached()
    _expect_number(count, before)
    admin.evaluate("window.neverReloaded = true")

    _ask_for(trader, "0.87", taken_back)
    _expect_number(count, before + 1)
    expect(count).to_contain_text("need you")

    trader.get_by_role("link", name="Open the request").click()
    trader.get_by_role("button", name="Withdraw the request").click()
    _expect_number(count, before)
    assert admin.evaluate("window.neverReloaded") is True


def test_on_a_phone_the_hash_is_unfolded_copied_and_of_the_exact_text(new_page, taken_back):
    trader = new_page()
    request_id = _ask_for(trader, "0.82", taken_back)
    phone = new_page(
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        permissions=["clipboard-read", "clipboard-write"],
    )
    enter_as(phone, "Approver", to=f"/approvals/{request_id}/")
    expect(phone.locator("#full-hash")).to_be_hidden()
    phone.locator("#compare summary").press("Enter")
    for button in ("#copy-hash", "#copy-canonical"):
        phone.locator(button).press("Enter")
        expect(phone.locator(button)).to_have_text("Copied")
    copied = phone.evaluate("navigator.clipboard.readText()")

    assert f'"Purpose","{PURPOSE}"' in copied
    expect(phone.locator("#full-hash")).to_have_text(hashlib.sha256(copied.encode()).hexdigest())
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
