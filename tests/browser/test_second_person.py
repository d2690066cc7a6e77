"""Two people side by side: a large order is asked for, agreed to live, sent and filled."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import await_live, enter_as

pytestmark = pytest.mark.browser

TICKET = "/orders/new/"


def _ask_for(page: Page, quantity: str) -> str:
    """Send a market ticket above the threshold and give its order's id."""
    enter_as(page, "Trader", to=TICKET)
    await_live(page)
    page.locator(".segment-buy").click()
    page.locator(".segment-market").click()
    page.select_option("#id_portfolio", label="Treasury book")
    page.fill("#id_quantity", quantity)
    send = page.locator("#send")
    expect(send).to_have_text(re.compile(r"Ask a second person: buy"))
    expect(page.locator(".verdict-needs_approval")).to_contain_text("once somebody else agrees")
    send.click()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]{36}/$"))
    await_live(page)
    expect(page.locator("#order .badge").first).to_have_text("Awaiting approval")
    return page.url.rstrip("/").rpartition("/")[2]


def test_asked_agreed_live_sent_and_filled(new_page):
    trader, inbox, overview = new_page(), new_page(), new_page()
    enter_as(inbox, "Approver", to="/approvals/")
    enter_as(overview, "Approver")
    for page in (inbox, overview):
        await_live(page)
        page.evaluate("window.neverReloaded = true")
    expect(inbox.locator(".inbox tbody tr")).to_have_count(0)
    _ask_for(trader, "0.9")
    trader.evaluate("window.neverReloaded = true")

    # Both pages of the second person hear of it by themselves.
    expect(inbox.locator(".inbox tbody tr")).to_have_count(1)
    expect(inbox.locator("#approvals-count")).to_contain_text("1")
    expect(overview.locator(".need", has_text="Waits for your decision")).to_be_visible()
    assert inbox.evaluate("window.neverReloaded") is True

    # By keyboard: to the row, open it, to the button, press it.
    inbox.keyboard.press("j")
    inbox.keyboard.press("Enter")
    inbox.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    await_live(inbox)
    expect(inbox.locator(".instruction")).to_contain_text("0.9")
    expect(inbox.locator("[data-until]").first).to_have_text(re.compile(r"\d+ min \d+ s left"))
    inbox.keyboard.press("a")
    expect(inbox.locator("#approve")).to_be_focused()
    inbox.keyboard.press("Enter")

    expect(trader.locator("#order .badge").first).to_have_text("Filled", timeout=20_000)
    expect(trader.locator("#order")).to_contain_text("Approved by Alma Okafor.")
    expect(inbox.locator("#evidence .badge").first).to_have_text("Executed", timeout=15_000)
    expect(inbox.locator("#approve")).to_have_count(0)
    expect(inbox.locator("#approvals-count")).not_to_contain_text("1")
    assert trader.evaluate("window.neverReloaded") is True
    assert overview.evaluate("window.neverReloaded") is True


def test_refused_with_a_reason_that_the_trader_reads(new_page):
    trader, approver = new_page(), new_page()
    enter_as(approver, "Approver", to="/approvals/")
    await_live(approver)
    _ask_for(trader, "0.8")
    approver.locator(".inbox tbody a").first.click()
    approver.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    refuse = approver.locator("#refuse")
    refuse.click()
    expect(approver.locator("#reason")).to_be_focused()
    approver.keyboard.type("Not before the meeting")
    # Reading the page again must not take away what is being typed.
    approver.wait_for_timeout(6_000)
    expect(approver.locator("#reason")).to_have_value("Not before the meeting")
    refuse.click()

    expect(trader.locator("#order .badge").first).to_have_text("Denied", timeout=15_000)
    expect(trader.locator("#order")).to_contain_text("Alma Okafor: Not before the meeting")


def test_the_trader_sees_who_is_asked_and_takes_it_back(new_page):
    trader, admin = new_page(), new_page()
    _ask_for(trader, "0.85")
    trader.get_by_role("link", name="Open the request").click()
    expect(trader.locator("#evidence")).to_contain_text("Can decide: Alma Okafor")
    expect(trader.locator("#approve")).to_have_count(0)
    address = trader.url

    enter_as(admin, "Admin")
    admin.goto(address)
    expect(admin.locator("#decide")).to_contain_text("You are not among those who decide this")

    trader.get_by_role("button", name="Withdraw the request").click()
    expect(trader.locator("#evidence .badge").first).to_have_text("Withdrawn")


def test_the_count_is_live_in_the_admin_too(new_page):
    """The number comes and goes without the admin being loaded again."""
    trader, admin = new_page(), new_page()
    enter_as(admin, "Approver")
    admin.goto("/admin/")
    count = admin.locator("[data-approvals-count]")
    expect(count).to_be_attached()
    expect(count).to_have_text("")
    admin.evaluate("window.neverReloaded = true")

    _ask_for(trader, "0.87")
    expect(count).to_contain_text("1")
    expect(count).to_contain_text("need you")

    trader.get_by_role("link", name="Open the request").click()
    trader.get_by_role("button", name="Withdraw the request").click()
    expect(count).to_have_text("")
    assert admin.evaluate("window.neverReloaded") is True
