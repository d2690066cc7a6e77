"""Three hundred symbols worked down by two people: asked by kind of evidence, read, agreed to, set aside."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import symbols
from tests.browser.people import enter_as
from tests.browser.test_every_page import OVERFLOW, SCREENS, _keep_picture

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120, func_only=True)]
QUEUE = "/symbols/unmapped/?q=_work_&size=300"
REASON = "Listed by the venue this morning"


@pytest.fixture(scope="module", autouse=True)
def _listed(desk):
    work = {"BTC": 200, "TRX": 97, "NOPE": 3}
    symbols.list_new(desk, work=work, shown={"BTC": 2, "TRX": 2, "NOPE": 1})


def _tick_all_and(page: Page, button: str) -> None:
    page.locator("#tick-all").check()
    page.fill("#reason", REASON)
    page.locator(button).click()


def _agree(page: Page, address: str, count: int) -> None:
    """Read the request and approve it by keyboard."""
    page.goto(address)
    matters = page.locator("table.matters")
    expect(matters.first.locator("tbody tr")).to_have_count(25)
    page.locator("#all-matters summary").click()
    expect(matters.last.locator("tbody tr")).to_have_count(count - 25)
    expect(matters.last).to_contain_text("paid with Tether (USDT)")
    page.keyboard.press("a")
    expect(page.locator("#approve")).to_be_focused()
    page.keyboard.press("Enter")
    badge = page.locator("#evidence header .badge").first
    expect(badge).to_have_text(re.compile("Approved|Executed"))


def test_three_hundred_are_worked_down_by_two_people(new_page, excuse):
    excuse("status of 422")
    steward, second = new_page(), new_page()
    enter_as(steward, "Steward", to=QUEUE)
    expect(steward.locator("tr[data-listing]")).to_have_count(300)

    # By keyboard to one row, and what is ticked is told by what it rests on.
    steward.keyboard.press("j")
    steward.keyboard.press("x")
    expect(steward.locator("#ticked")).to_have_text("1 ticked: 1 on identifier.")

    _tick_all_and(steward, "#accept")
    expect(steward.locator("#problem")).to_contain_text("200 on identifier, 97 on ticker")
    expect(steward.locator("#ticked")).to_contain_text("297 ticked")

    enter_as(second, "Approver", to="/approvals/")
    for evidence, count in (("identifier", 200), ("ticker", 97)):
        steward.goto(f"{QUEUE}&evidence={evidence}")
        _tick_all_and(steward, "#accept")
        expect(steward.locator(".message-success")).to_contain_text("Asked a second person")
        steward.goto("/symbols/unmapped/?tab=asked")
        link = steward.locator("tr", has_text=evidence.capitalize()).locator("a[data-row]")
        _agree(second, str(link.first.get_attribute("href")), count)

    steward.goto(QUEUE)
    expect(steward.locator("tr[data-listing]")).to_have_count(3)
    for box in steward.locator("tbody input[name=tick]").all():
        box.check()
    steward.fill("#reason", "Nobody here knows it")
    steward.locator("#set-aside").click()
    expect(steward.locator(".message-success")).to_contain_text("Not traded")
    expect(steward.locator(".empty")).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_queue_is_drawn_without_a_complaint(new_page, screen):
    page = new_page(**SCREENS[screen])
    enter_as(page, "Steward")
    for tab in ("waits", "asked", "stopped", "not_traded"):
        page.goto(f"/symbols/unmapped/?tab={tab}")
        expect(page.locator("h1").first).to_have_text("Unmapped symbols")
        assert page.evaluate(OVERFLOW) <= 0, f"{tab} is wider than the {screen} screen"
        _keep_picture(page, "Steward", f"unmapped_{tab}", screen)
