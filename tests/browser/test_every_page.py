"""Each page, in light and dark and on a phone: drawn, silent, inside its width.

`SCREENSHOTS=folder` keeps a picture of every one of them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import night
from tests.browser.people import enter_as

pytestmark = pytest.mark.browser

# A name in braces is the page of one row: see `rows`.
PAGES = {
    "Trader": [
        "/",
        "/markets/",
        "/markets/coinbase_advanced/BTC-USD/",
        "/orders/",
        "/orders/new/",
        "/approvals/?tab=all",
        "/positions/",
        "/reconciliation/",
        "/breaks/",
        "/assets/imports/",
        "/operations/",
        "/preferences/",
        "/second-factor/",
        "/sessions/",
        "/tokens/",
        "/tokens/new/",
        "/confirm/",
        "/api/docs/",
    ],
    "Approver": ["/approvals/", "{request}", "/tokens/"],
    "Recon": ["/reconciliation/", "/breaks/?state=all", "{break}", "/approvals/", "/tokens/new/"],
    "Steward": [
        "/assets/",
        "/chains/",
        "/chains/ethereum/",
        "/lookup/",
        "/lookup/?q=ETH",
        "{asset}",
        "{flag}",
    ],
    "Auditor": ["/audit/", "{entry}", "/approvals/?tab=all", "{request}", "{break}"],
    "Admin": [
        "/admin/",
        "/admin/assets/asset/",
        "/admin/venues/venuesymbol/",
        "/admin/trading/order/",
        "/admin/approvals/request/",
        "/admin/approvals/rule/",
        "/admin/approvals/rule/add/",
        "/admin/approvals/group/",
        "/admin/approvals/standin/add/",
        "/admin/access/user/",
        "/admin/access/user/add/",
        "/admin/access/rolegrant/add/",
        "/admin/access/desksession/",
        "/admin/axes/accessattempt/",
    ],
}
SCREENS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def rows(desk) -> Iterator[dict[str, str]]:
    """Have a request that waits and a break to look at, and leave neither open."""
    night.until_clean(desk)
    with night.wrong_venue(desk) as fails:
        fails("wrong_balance", currency="USDC", amount="250.75")
        night.reconcile(desk)
        found = next(one for one in night.open_breaks(desk) if one["unit"] == "USDC")
        order = night.order(desk, symbol="BTC-USD", quantity="0.9", purpose="Rebalance")
        yield {"request": f"/approvals/{order['approval']}/", "break": f"/breaks/{found['id']}/"}
        night.take_back(desk, order["id"])


def _address(path: str, page: Page, rows: dict[str, str]) -> str:
    """Name the page; an entry of the log and an asset are the first of the list that is shown."""
    if path in {"{entry}", "{asset}"}:
        return page.locator("main [data-row]").first.get_attribute("href") or ""
    if path == "{flag}":
        return page.get_by_role("link", name="Raise a flag").get_attribute("href") or ""
    return rows[path.strip("{}")] if path.startswith("{") else path


def _keep_picture(page: Page, *names: str) -> None:
    folder = os.environ.get("SCREENSHOTS", "")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    name = "-".join(re.sub(r"\W+", "_", name).strip("_") or "overview" for name in names)
    page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.timeout(120, func_only=True)
def test_pages_are_drawn_without_a_complaint(new_page, screen, role, rows):
    page = new_page(**SCREENS[screen])
    enter_as(page, role)
    for path in PAGES[role]:
        page.goto(_address(path, page, rows))
        page.wait_for_load_state("networkidle") if path.startswith("/admin") else None
        expect(page.locator(".environment")).to_be_visible()
        expect(page.locator("h1").first).to_be_visible()
        assert page.evaluate(OVERFLOW) <= 0, f"{path} is wider than the {screen} screen"
        _keep_picture(page, role, path, screen)


@pytest.mark.parametrize("screen", SCREENS)
def test_the_sign_in_page_is_drawn_without_a_complaint(new_page, screen):
    page = new_page(**SCREENS[screen])
    page.goto("/sign-in/")

    expect(page.locator("button.role")).to_have_count(8)
    assert page.evaluate(OVERFLOW) <= 0
    _keep_picture(page, "nobody", "sign_in", screen)


def test_a_password_and_a_code_sign_in_and_the_menu_signs_out(page, desk):
    user = desk.user("approver")
    page.goto("/orders/")
    page.get_by_label("Name").fill(user["username"])
    page.get_by_label("Password").fill(user["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(page.locator("#demo-code").inner_text())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/orders/")

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()

    page.wait_for_url("**/sign-in/")


def test_the_menu_switches_between_demo_people_and_stays_on_the_page(page):
    enter_as(page, "Trader", to="/positions/")
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="auditor").click()

    expect(page.locator(".person-name")).to_have_text("Aude Audran")
    assert page.url.endswith("/positions/")


def test_a_refused_page_says_what_is_missing(page, excuse):
    excuse("status of 403")
    enter_as(page, "Viewer")
    page.goto("/orders/new/")

    expect(page.locator("h1")).to_have_text("Your roles do not allow this")


def test_the_theme_is_kept_and_the_admin_follows_it(page):
    enter_as(page, "Steward", to="/preferences/")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.goto("/admin/assets/asset/")

    expect(page.locator("html")).to_have_class(re.compile("dark"))


def test_times_follow_the_chosen_zone(page):
    enter_as(page, "Auditor", to="/preferences/")
    page.get_by_label("Time zone").fill("tokyo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")

    page.goto("/orders/")

    expect(page.locator("td time, th time").first).to_have_attribute(
        "title", re.compile("JST .* UTC")
    )


def test_a_token_is_made_shown_once_and_revoked(page):
    enter_as(page, "Trader", to="/tokens/new/")
    page.get_by_label("Which program is it for?").fill("strategy 7")
    page.get_by_label("Order: view").check()
    page.get_by_role("button", name="Make the token").click()

    expect(page.locator("#token")).to_have_text(re.compile("^cqops_"))
    page.get_by_role("link", name="Done").click()
    row = page.locator("tr", has_text="strategy 7")
    expect(row).to_contain_text("order.view")
    row.get_by_role("button", name="Revoke").click()

    expect(page.locator("tr", has_text="strategy 7")).to_contain_text("Revoked")


def test_a_session_ended_elsewhere_closes_the_open_page_within_five_seconds(new_page, excuse):
    excuse("status of 403")
    first, second = new_page(), new_page()
    enter_as(first, "Recon", to="/orders/")
    enter_as(second, "Recon", to="/sessions/")

    second.get_by_role("button", name="Sign out everywhere else").click()

    # Either it says so itself, or it was about to read something and is at the sign-in page already.
    live = first.locator("#live-state", has_text=re.compile("^Live$"))
    expect(live).to_have_count(0, timeout=5_000)
