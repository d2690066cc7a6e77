"""A duplicate from the list to the merge: found, looked at side by side, asked for, and agreed to by somebody else."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import enter_as
from tests.browser.test_every_page import OVERFLOW

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120, func_only=True)]


def _picture(page: Page, name: str) -> None:
    assert page.evaluate(OVERFLOW) <= 0
    if folder := os.environ.get("SCREENSHOTS", ""):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_pair_is_found_looked_at_and_asked_for_by_keyboard(page: Page) -> None:
    enter_as(page, "Steward", to="/registry/findings/?kind=same_symbol&text=USDC")
    expect(page.get_by_role("table", name="Findings")).to_contain_text("USD Coin (look-alike)")
    _picture(page, "findings")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/registry/findings/[0-9a-f-]{36}/$"))
    beside = page.get_by_role("table", name="The assets side by side")
    expect(beside).to_contain_text("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
    expect(beside).to_contain_text("Critical: scam")
    _picture(page, "finding")

    page.get_by_role("button", name="Look at merging them").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("into USD Coin")
    _picture(page, "merging")
    page.get_by_label("Because").fill("tried by a test, and taken back")
    page.get_by_role("button", name="Ask to merge them").click()
    page.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    expect(page.locator(".instruction")).to_contain_text("Contracts that follow")
    _picture(page, "merge-asked")
    page.get_by_role("button", name="Withdraw the request").click()
    expect(page.locator("#evidence .badge").first).to_have_text("Withdrawn", timeout=20_000)
