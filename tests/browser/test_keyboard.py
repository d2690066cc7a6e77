"""Everything by keyboard, and no shortcut while somebody types."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import enter_as

pytestmark = pytest.mark.browser


def test_g_and_a_letter_go_to_a_page(page):
    enter_as(page, "Trader")
    for key, path in {"m": "/markets/", "b": "/orders/", "p": "/positions/", "o": "/"}.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_url(f"**{path}")


def test_j_and_k_move_through_rows_and_enter_opens(page):
    enter_as(page, "Trader", to="/markets/")
    links = page.locator("main [data-row]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()

    page.keyboard.press("Enter")

    page.wait_for_url("**/markets/coinbase_advanced/**")


def test_slash_focuses_the_search_and_letters_stay_letters_there(page):
    enter_as(page, "Trader", to="/orders/")
    page.keyboard.press("/")
    search = page.locator("[data-search]")
    expect(search).to_be_focused()

    page.keyboard.type("gb?/j")

    expect(search).to_have_value("gb?/j")
    assert page.url.endswith("/orders/")


def test_the_help_sheet_opens_and_escape_closes_it(page):
    enter_as(page, "Trader")
    page.keyboard.press("?")
    sheet = page.locator("dialog#keys")
    expect(sheet).to_be_visible()

    page.keyboard.press("Escape")

    expect(sheet).to_be_hidden()


def test_escape_closes_the_menu(page):
    enter_as(page, "Trader")
    page.locator("details.menu summary").press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_the_first_tab_skips_to_the_content(page):
    enter_as(page, "Trader")
    page.keyboard.press("Tab")

    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_filter_is_in_the_address_and_only_what_was_chosen(page):
    enter_as(page, "Trader", to="/orders/")
    page.get_by_label("Side").select_option("buy")

    page.wait_for_url("**/orders/?side=buy")


def test_the_phone_navigation_opens_and_closes(new_page):
    page = new_page(viewport={"width": 390, "height": 844})
    enter_as(page, "Trader")
    blotter = page.get_by_role("link", name="Blotter")
    expect(blotter).to_be_hidden()

    page.get_by_role("button", name="Navigation").click()

    expect(blotter).to_be_visible()
    blotter.click()
    page.wait_for_url("**/orders/")
