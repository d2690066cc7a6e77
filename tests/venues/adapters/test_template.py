"""The template can be copied, imports under its new name, and says what of it is still to write."""

from __future__ import annotations

import importlib
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.venues.adapters.conformance.scenarios import NEEDS, SCENARIOS
from tests.venues.adapters.conformance.stage import FICTIONAL, staged
from venues import adapters
from venues.adapters.registry import ADAPTERS
from venues.interface.client import ABILITIES, ListsFills, ListsInstruments, StreamsExecutions

TEMPLATE = Path(adapters.__path__[0]) / "_template"
STILL_TO_WRITE = r"^still to write: (client|feed|orders)\.\w+: \w.+"
# The kit does these before any part of the venue's own is needed.
HOLD_ALREADY = {
    "what_the_venue_does_not_offer_is_said_before_it_is_sent",
    "the_client_has_the_abilities_the_desk_stands_on",
}


@pytest.fixture
def seaport(tmp_path, monkeypatch) -> ModuleType:
    """Copy the template the way the page says: the folder, and its name in the text."""
    shutil.copytree(TEMPLATE, tmp_path / "seaport", ignore=shutil.ignore_patterns("__pycache__"))
    for path in (tmp_path / "seaport").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("_template", "seaport").replace("Template", "Seaport")
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield importlib.import_module("venues.adapters.seaport")
    for name in set(sys.modules) - before:
        if name.startswith("venues.adapters.seaport"):
            del sys.modules[name]
    vars(adapters).pop("seaport", None)


def test_nobody_can_trade_through_the_template():
    assert not any("template" in slug for slug in ADAPTERS)


def test_a_copy_imports_under_its_new_name(seaport):
    assert seaport.ADAPTER.name == seaport.ADAPTER.capabilities.venue == "Seaport"
    client = seaport.ADAPTER.build
    assert client.__name__ == "SeaportClient"
    abilities = {one for one in ABILITIES.values() if issubclass(client, one)}
    assert abilities == {ListsInstruments, ListsFills, StreamsExecutions}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_conformance_fails_a_copy_with_words_for_what_is_missing(name, seaport, tmp_path):
    stage = replace(FICTIONAL["harbour"], adapter=seaport.ADAPTER)
    async with staged("harbour", tmp_path / "venue", stage) as desk:
        if not NEEDS[name](desk):
            pytest.skip("the template does not declare this")
        if name in HOLD_ALREADY:
            await SCENARIOS[name](desk)
            return
        with pytest.raises(NotImplementedError, match=STILL_TO_WRITE):
            await SCENARIOS[name](desk)


def test_every_part_that_is_missing_is_named_where_it_is(seaport):
    """A part names itself, so that its words lead to the place."""
    folder = Path(seaport.__path__[0])
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for part in re.findall(r'missing\(\s*f?"([\w.{}()]+)"', text):
            module, _, name = part.partition(".")
            assert module == path.stem
            assert name.startswith("{") or re.search(
                rf"(def|class) {name.rpartition('.')[2]}\b", text
            )
