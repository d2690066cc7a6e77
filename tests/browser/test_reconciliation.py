"""A night at the desk: the venue hides a fill and tells a wrong balance, and two people deal with it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import night
from tests.browser.people import await_live, enter_as

pytestmark = pytest.mark.browser
REASON = "A deposit that is not in our books yet"


def _open_break(page: Page, title: str) -> None:
    page.goto("/breaks/")
    page.locator("main [data-row]", has_text=title).first.click()
    page.wait_for_url(re.compile(r"/breaks/[0-9a-f-]{36}/$"))


def _ask_to_close(page: Page) -> None:
    """Ask for it; whoever asked cannot agree as well."""
    page.get_by_label("Close it without evidence, because").fill(REASON)
    page.get_by_role("button", name="Ask to close it").click()
    expect(page.locator("#break .badge").first).to_have_text("Closing")
    await_live(page)
    page.evaluate("window.neverReloaded = true")


def _agree(page: Page, title: str) -> None:
    """Find it in the inbox of another person, read it, approve it."""
    enter_as(page, "Approver", to="/approvals/")
    page.locator(".inbox tbody a", has_text=f"Close a break: {title}").click()
    page.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    expect(page.locator("#evidence")).to_contain_text(REASON)
    page.locator("#approve").click()


@pytest.mark.timeout(240, func_only=True)
def test_a_hidden_fill_and_a_wrong_balance_are_found_closed_by_two_and_the_next_run_is_clean(
    new_page, desk
):
    night.until_clean(desk)
    rene, alma = new_page(), new_page()
    enter_as(rene, "Recon", to="/reconciliation/")
    await_live(rene)
    with night.wrong_venue(desk) as fails:
        fails("hide_fill", symbol="ETH-USD")
        fails("wrong_balance", currency="SOL", amount="12.5")
        hidden = night.order(desk, symbol="ETH-USD", quantity="0.05")

        run = night.reconcile(desk)

        assert (run["outcome"], run["triggered_by"]) == ("breaks", "schedule")
        titles = [one["title"] for one in night.open_breaks(desk)]
        assert {"SOL balance", "ETH balance"} <= set(titles)
        assert any(title.startswith("ETH-USD: an order") for title in titles)
        expect(rene.locator("main [role=status]").first).to_contain_text(
            re.compile(r"Reconciled at .* open")
        )

        # One asks for a close, another agrees, and the first sees it without reloading.
        _open_break(rene, "SOL balance")
        expect(rene.locator("#break")).to_contain_text("12.5 SOL")
        _ask_to_close(rene)
        _agree(alma, "SOL balance")
        expect(rene.locator("#break .badge").first).to_have_text("Closed", timeout=20_000)
        expect(rene.locator("#break")).to_contain_text(f"Agreed to close it: {REASON}")
        assert rene.evaluate("window.neverReloaded") is True

    rene.goto("/reconciliation/")
    expect(rene.locator("main [role=status]").first).to_contain_text(
        re.compile(r"Reconciled at .*, nothing open\.")
    )
    with night.api(desk) as client:
        filled = client.get(f"/orders/{hidden['id']}").json()
    assert (filled["state"], filled["filled_quantity"]) == ("filled", "0.05")
    assert night.open_breaks(desk) == []
