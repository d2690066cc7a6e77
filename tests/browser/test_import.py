"""A list is brought in by two people: mended, looked at, agreed to, applied by the worker, and undone."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import enter_as

pytestmark = pytest.mark.browser
MARK = uuid4().hex[:6]
HEADER = "Ticker,Name,CoinGecko id,Chain,Address,Decimals"
ADDRESS = f"0x{uuid4().hex}{'0' * 8}"
GOOD = f"WZ{MARK},Wizard {MARK},wizard-{MARK},ethereum,{ADDRESS},18"
OTHERWISE = "USDC,Another name,usd-coin,,,"


def _send(page: Page, *rows: str) -> None:
    """Upload a table and take the columns as they were guessed."""
    page.goto("/assets/imports/")
    content = "\n".join([HEADER, *rows, ""]).encode()
    page.get_by_label("File").set_input_files(
        {"name": f"{MARK}.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_label("Whose list it is").fill("The issuer")
    page.get_by_role("button", name="Upload and compare").click()
    expect(page.get_by_label("Symbol")).to_have_value("Ticker")
    page.get_by_role("button", name="Compare with the registry").click()
    _comes_to(page, "Read, nothing applied")


def _comes_to(page: Page, state: str) -> None:
    """Wait until the page that watches is drawn anew by itself."""
    expect(page.locator("main .panel .badge").first).to_have_text(state, timeout=30_000)


def _agree(page: Page, title: str) -> None:
    page.goto("/approvals/")
    page.locator(".inbox tbody a", has_text=title).first.click()
    page.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    expect(page.locator("#evidence")).to_contain_text("Digest")
    page.locator("#approve").click()


@pytest.mark.timeout(180, func_only=True)
def test_a_list_is_mended_agreed_to_applied_and_undone(new_page):
    stella, alma = new_page(), new_page()
    enter_as(stella, "Steward", to="/assets/imports/")
    enter_as(alma, "Approver", to="/approvals/")

    _send(stella, GOOD, OTHERWISE, GOOD.replace("wizard", "bad").replace(",18", ",x"))
    expect(stella.locator("main")).to_contain_text("1 line has errors. Nothing is applied")
    stella.get_by_role("link", name=re.compile(r"^Error \d")).click()
    expect(stella.locator("tbody tr")).to_have_count(1)
    expect(stella.locator("tbody")).to_contain_text("and not 'x'")
    with stella.expect_download() as taken:
        stella.get_by_role("link", name="Errors as CSV").click()
    assert "and not 'x'" in taken.value.path().read_text(encoding="utf-8")

    _send(stella, GOOD, OTHERWISE)
    lines = stella.locator("tbody tr")
    expect(lines.nth(0)).to_contain_text("New asset, new identifier, new contract")
    expect(lines.nth(1)).to_contain_text("This desk calls it USD Coin (USDC), and that stays.")
    stella.get_by_label("Apply it, because").fill("their own list")
    stella.get_by_role("button", name="Ask for it").click()
    _comes_to(stella, "Waits for a second person")

    _agree(alma, f"Import of The issuer: {MARK}.csv")
    _comes_to(stella, "Applied")

    stella.get_by_label("Take back what it brought, because").fill("it was the wrong one")
    stella.get_by_role("button", name="Ask to undo it").click()
    _comes_to(stella, "Undo waits for a second person")
    _agree(alma, f"Undo of the import of The issuer: {MARK}.csv")
    _comes_to(stella, "Undone")
