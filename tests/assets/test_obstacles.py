"""What stands in the way of an asset: its own flags, those below it, and those of what wraps it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.models import QualityFlag, Severity
from assets.services.flags import raise_flag
from assets.services.obstacles import obstacles
from assets.services.relations import relate
from tests.assets import stage

pytestmark = pytest.mark.django_db


def flag(asset, severity=Severity.CRITICAL, **more):
    made = QualityFlag(
        asset=asset, kind="exploit", severity=severity, source="Auditor", note="drained", **more
    )
    return raise_flag(flag=made, by=None)


def against(asset, **more):
    return [one.flag for one in obstacles({asset.pk}, now=timezone.now(), **more)]


@pytest.fixture
def family():
    """Make ETH, WETH wrapping it, stETH staking it and wstETH wrapping that."""
    names = {name: stage.asset(name) for name in ("ETH", "WETH", "stETH", "wstETH")}
    for one, kind, other in (
        ("WETH", "wraps", "ETH"),
        ("stETH", "stakes", "ETH"),
        ("wstETH", "wraps", "stETH"),
    ):
        relate(asset_id=names[one].pk, kind=kind, other_id=names[other].pk, source="t", by=None)
    return names


@pytest.mark.parametrize(
    ("flagged", "stands_against"),
    [
        ("ETH", {"ETH", "WETH", "stETH", "wstETH"}),
        ("WETH", {"WETH", "ETH"}),
        ("stETH", {"stETH", "wstETH"}),
        ("wstETH", {"wstETH", "stETH"}),
    ],
)
def test_a_flag_reaches_what_stands_on_it_and_what_it_wraps(family, flagged, stands_against):
    flag(family[flagged])
    assert {name for name, asset in family.items() if against(asset)} == stands_against


def test_an_end_of_the_relation_ends_it_too(family):
    flag(family["WETH"])
    stage.run_sql(
        "UPDATE assets_relationship SET superseded_at = clock_timestamp() WHERE asset_id = %s",
        family["WETH"].pk,
    )
    assert against(family["ETH"]) == []


def test_only_what_stands_now_and_is_severe_enough(family, django_assert_num_queries):
    eth = family["ETH"]
    flag(eth, Severity.MEDIUM)
    with django_assert_num_queries(1):
        assert against(eth) == []
    low = flag(eth, Severity.LOW, expires_at=timezone.now() + timedelta(days=1))
    assert low in against(eth, least=Severity.LOW)
    flag(eth, valid_from=timezone.now() + timedelta(days=1))
    assert against(eth) == []
    high, critical = flag(eth, Severity.HIGH), flag(eth)
    with django_assert_num_queries(2):
        assert against(eth) == [critical, high]


def test_its_words_show_who_says_what_about_which_asset(family):
    made = flag(family["WETH"], evidence_url="https://example.org/report")
    words = obstacles({family["ETH"].pk}, now=timezone.now())[0].words
    assert words == (
        f"WETH (WETH): Critical: exploit (Auditor, {made.raised_at:%Y-%m-%d}):"
        " drained https://example.org/report"
    )
