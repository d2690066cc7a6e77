"""A key from the form to the drill, through the pages alone: asked for, agreed to, leaked, revoked.

It has an account of its own, because the others go on with theirs.
"""

import os
import re
import uuid
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import enter_as
from tests.browser.test_every_page import OVERFLOW
from venues.simulator.demo_keys import DemoKey, generate_demo_key, register_key

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120, func_only=True)]
POWERS = "It may view and trade. It may not withdraw. The venue does not say when it ends."


def _account(page: Page, name: str) -> str:
    """Make an account in the admin, and give the address of its keys."""
    page.goto("/admin/venues/account/add/")
    page.fill("#id_name", name)
    page.locator("#id_venue").select_option(label="Coinbase Advanced")
    page.locator("#id_environment").select_option("SIMULATED")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator("tr", has_text=name)
    return str(row.get_by_role("link", name="Keys").get_attribute("href"))


def _ask(page: Page, account: str, key: DemoKey) -> None:
    page.goto(account)
    page.get_by_role("link", name="Ask for a key").click()
    page.fill("#id_key_id", key.key_id)
    page.fill("#id_secret", key.secret)
    page.get_by_role("button", name="Save", exact=True).click()


def _picture(page: Page, name: str) -> None:
    assert page.evaluate(OVERFLOW) <= 0
    if folder := os.environ.get("SCREENSHOTS", ""):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def _agreed(admin: Page, approver: Page) -> None:
    """Let another person read what the venue says of the key, and agree."""
    admin.get_by_role("link", name=re.compile("A key for Drill")).first.click()
    address = admin.url
    enter_as(approver, "Approver")
    approver.goto(address)
    expect(approver.locator(".instruction")).to_contain_text(POWERS)
    expect(approver.locator(".instruction")).to_contain_text("not allowed")
    approver.locator("#approve").click()
    expect(approver.locator("#evidence .badge").first).to_have_text("Executed", timeout=20_000)


def _leaked(page: Page, account: str, key_id: str) -> None:
    """Press the one button, and read what to do."""
    page.goto(account)
    expect(page.locator("td[data-label=Stands]")).to_have_text("In use")
    _picture(page, "account")
    page.get_by_role("link", name=key_id).click()
    page.get_by_role("button", name="Leaked").click()
    expect(page.locator(".messages")).to_contain_text("Unused from this second.")
    expect(page.locator("#what-to-do")).to_contain_text(key_id)
    expect(page.locator("#what-to-do")).to_contain_text("Only that stops whoever else has it")
    expect(page.get_by_role("button", name="Leaked")).to_have_count(0)
    _picture(page, "leaked")


def test_one_click_stops_a_leaked_key_and_says_what_to_do(desk, new_page):
    admin, approver = new_page(), new_page()
    enter_as(admin, "Admin")
    name = f"Drill {uuid.uuid4().hex[:6]}"
    account = _account(admin, name)
    key, dangerous = (generate_demo_key(account_ref=account) for _ in range(2))
    can_withdraw = msgspec.structs.replace(dangerous.entry, can_transfer=True)
    for entry in (key.entry, can_withdraw):
        register_key(desk.folder / "simulator", entry)

    _ask(admin, account, dangerous)
    expect(admin.locator("body")).to_contain_text("The venue says that this key can withdraw")
    _ask(admin, account, key)
    expect(admin.locator("body")).to_contain_text("asked for. Nothing changes before")
    _agreed(admin, approver)
    _leaked(approver, account, key.key_id)

    admin.goto(account)
    expect(admin.locator("main")).to_contain_text("This account is switched off")
    admin.goto("/")
    row = admin.locator(".need", has_text=name).filter(has_text="is not revoked at its venue")
    expect(row).to_have_count(1)
    approver.get_by_role("button", name="It is revoked at the venue").click()
    expect(approver.locator("#now-title + .badge")).to_have_text("Revoked at the venue")
    admin.reload()
    expect(row).to_have_count(0)
