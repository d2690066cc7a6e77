"""The registry as people use it: a flag that stops the trading, two people who clear it, three dates.

What is flagged here is traded by other tests on the same desk, so nothing is left standing.
"""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser import night
from tests.browser.people import await_live, enter_as

pytestmark = pytest.mark.browser

# Drills on the same desk buy and sell ether for the treasury book.
BOOK = "Alpha fund"
EVIDENCE = "https://example.org/post-mortem"
# Two people, as on the page: whatever a failed test left standing ends, and with it what was asked.
CLEARED = f"""
from assets.models import QualityFlag
from assets.services.flags import propose_clear
from cqops.platform.access.models import User
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
steward, approver = (User.objects.get(username=name) for name in ("stella", "alma"))
for flag in QualityFlag.objects.filter(evidence_url="{EVIDENCE}", cleared_at=None):
    asked = Request.objects.filter(subject_id=str(flag.pk), state="pending").first()
    asked = asked or propose_clear(flag=flag, reason="end of the test", by=steward)
    decide(
        request_id=asked.pk, by=approver, verdict=Verdict.APPROVE,
        seen_hash=asked.instruction_hash, is_confirmed=True,
    )
settle_left()
"""


@pytest.fixture
def nothing_flagged(desk) -> Iterator[list[str]]:
    """Leave neither the flag nor an order; each test says what it cleared by itself."""
    orders: list[str] = []
    yield orders
    for order_id in orders:
        night.take_back(desk, order_id)
    night.in_shell(desk, CLEARED)


def _look_up(page: Page, text: str) -> None:
    """Ask by keyboard alone: the page, the box, the answer."""
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/lookup/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.wait_for_url("**/lookup/?q=*")


def _raise_on_weth(page: Page) -> None:
    _look_up(page, "weth")
    expect(page.locator("[data-answer=ok]")).to_contain_text("Wrapped Ether")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Raise a flag").click()
    page.get_by_label("What is it").select_option("exploit")
    page.get_by_label("How severe").select_option(label="Critical")
    page.get_by_role("button", name="Raise the flag").click()
    expect(page.get_by_role("alert").filter(has_text="Say what it rests on")).to_be_visible()
    page.get_by_label("Evidence URL").fill(EVIDENCE)
    page.get_by_label("Look at it again on").fill("2099-01-01")
    page.get_by_role("button", name="Raise the flag").click()
    expect(page.locator(".notice.loud")).to_contain_text(EVIDENCE)


def _await_ether(desk) -> None:
    """Wait until what was bought is held, so that selling it is a way out."""
    deadline = time.monotonic() + night.PATIENCE
    while time.monotonic() < deadline:
        with night.api(desk) as client:
            held = client.get("/positions").json()["results"]
        mine = [one for one in held if (one["asset"], one["portfolio"]) == ("ETH", BOOK)]
        if any(float(one["quantity"]) >= 0.01 for one in mine):
            return
        time.sleep(0.2)
    pytest.fail("the ether that was bought is not held")


def _submit(desk, side: str):
    body = {"venue": night.VENUE, "account": night.ACCOUNT, "portfolio": BOOK}
    body |= {"symbol": "ETH-USD", "side": side, "order_type": "market", "quantity": "0.01"}
    with night.api(desk) as client:
        return client.post("/orders", json=body)


def _expect_ticket(page: Page, *, blocked: bool) -> None:
    """Fill a ticket anew and read what the checks say to it."""
    page.goto("/orders/new/")
    ether = page.locator("#id_symbol option", has_text="ETH-USD").first.get_attribute("value")
    page.goto(f"/orders/new/?symbol={ether}")
    await_live(page)
    page.locator(".segment-buy").click()
    page.locator(".segment-market").click()
    page.select_option("#id_portfolio", label=BOOK)
    page.fill("#id_quantity", "0.01")
    expect(page.locator(".verdict").first).to_be_visible()
    if blocked:
        expect(page.locator(".verdict-block")).to_contain_text(EVIDENCE)
    else:
        expect(page.locator(".verdict-block")).to_have_count(0)


@pytest.mark.timeout(120, func_only=True)
def test_a_critical_flag_on_what_wraps_it_blocks_at_once_until_two_people_clear_it(
    new_page, desk, nothing_flagged, excuse
):
    excuse("status of 422")
    night.order(desk, symbol="ETH-USD", quantity="0.05", portfolio=BOOK)
    steward, trader, approver = new_page(), new_page(), new_page()
    _await_ether(desk)
    enter_as(trader, "Trader")
    enter_as(steward, "Steward")
    _raise_on_weth(steward)
    refused = _submit(desk, "buy")
    assert refused.status_code == 422, refused.text
    assert EVIDENCE in refused.text
    way_out = _submit(desk, "sell")
    assert way_out.status_code == 202, way_out.text
    nothing_flagged.append(way_out.json()["id"])
    assert way_out.json()["state"] == "awaiting_approval"
    _expect_ticket(trader, blocked=True)

    steward.get_by_role("link", name="Clear Critical: exploit").click()
    steward.get_by_label("Why it does not stand").fill("Repaid in full")
    steward.get_by_role("button", name="Ask a second person").click()
    steward.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    expect(steward.locator("#approve")).to_have_count(0)
    enter_as(approver, "Approver", to=urlsplit(steward.url).path)
    expect(approver.locator(".instruction")).to_contain_text("Repaid in full")
    approver.locator("#approve").click()
    expect(approver.locator("#evidence .badge").first).to_have_text("Executed")
    steward.goto("/lookup/?q=weth")
    expect(steward.locator("[data-answer=ok]")).to_be_visible()
    expect(steward.locator(".notice.loud")).to_have_count(0)
    _expect_ticket(trader, blocked=False)


def _rename(page: Page, text: str, ticker: str, since: str) -> None:
    _look_up(page, text)
    page.locator("main [data-row]").first.click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("New ticker").fill(ticker)
    page.get_by_label("Since when").fill(since)
    page.get_by_label("Why").fill("Rebrand")
    page.get_by_role("button", name="Rename it").click()
    expect(page.locator(".message-success")).to_contain_text(ticker)


def test_a_ticker_used_again_is_looked_up_at_three_dates(page):
    enter_as(page, "Steward")
    _rename(page, "uniswap", "UNISW", "2026-02-01T00:00")
    _rename(page, "aave", "UNI", "2026-03-01T00:00")
    for at, answer, words in (
        ("2026-01-15T12:00", "ok", "Uniswap"),
        ("2026-02-15T12:00", "unknown", "means nothing"),
        ("2026-03-15T12:00", "ok", "Aave"),
    ):
        page.goto("/lookup/?q=uni")
        page.get_by_label("True at").fill(at)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"as_of=2026-0\d-15T\d\d%3A00%3A00Z"))
        expect(page.locator(f"[data-answer={answer}]")).to_contain_text(words)
