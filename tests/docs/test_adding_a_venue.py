"""The page that says how a venue is added names only what there is, and every file one gets."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS

ROOT = DOCS.parent
PAGE = (DOCS / "adding-a-venue.md").read_text(encoding="utf-8")
PATHS = sorted(
    set(re.findall(r"`((?:venues|tests|docs|examples|checks)/[\w./-]+|CHANGELOG\.md)`", PAGE))
)
LINKS = sorted(set(re.findall(r"\]\(([\w./-]+\.md)\)", PAGE)))
NOT_YET = "seaport"


@pytest.mark.parametrize("path", [one for one in PATHS if NOT_YET not in one])
def test_every_path_it_names_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("link", LINKS)
def test_every_link_leads_somewhere(link):
    assert (DOCS / link).exists()


def test_it_names_every_file_of_the_template():
    files = {path.name for path in (ROOT / "venues/adapters/_template").glob("*.py")}
    named = set(re.findall(r"^\| `(\w+\.py)` \|", PAGE, re.MULTILINE))
    assert named == files - {"missing.py"}


def test_it_names_every_command_that_there_is():
    commands = {line.partition(":")[0] for line in Path(ROOT, "Makefile").read_text().splitlines()}
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= commands
