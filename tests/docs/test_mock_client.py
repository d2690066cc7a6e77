"""Every block of the mock client's page runs, and every test it shows passes."""

import re

import pytest

from tests.docs.pages import blocks

PAGE = blocks("mock-client.md")
SHOWN = re.findall(r"^async def (test_\w+)", "\n".join(PAGE), re.MULTILINE)


@pytest.fixture(scope="module")
def page():
    names = {}
    for number, block in enumerate(PAGE, start=1):
        exec(compile(block, f"docs/mock-client.md, block {number}", "exec"), names)  # noqa: S102
    return names


def test_the_page_shows_tests():
    assert len(SHOWN) == len(set(SHOWN)) > 10


@pytest.mark.parametrize("name", SHOWN)
async def test_what_the_page_shows_is_so(page, name):
    await page[name]()
