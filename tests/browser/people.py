"""What every browser test does first."""

from urllib.parse import quote

from playwright.sync_api import Page, expect


def enter_as(page: Page, role: str, *, to: str = "/") -> None:
    page.goto(f"/sign-in/?next={quote(to, safe='')}")
    # There are two admins: the first of a role is meant.
    page.locator("button.role", has_text=role).first.click()
    page.wait_for_url(lambda url: url.endswith(to))


def await_live(page: Page) -> None:
    """Wait until the page itself says that it is live."""
    expect(page.locator("#live-state")).to_have_text("Live")
